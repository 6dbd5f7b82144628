import { decode } from 'fast-png';
import { expect, it } from 'vitest';
import { openRandomGenerator } from '../testing/index.ts';
import { createImageMaker, type PlannedImage } from './image-maker.ts';

const generator = await openRandomGenerator({ imageSize: 32 });

const never = () => Promise.reject(new Error('not needed'));
const wanted = { throwIfAborted: () => undefined, onAbort: () => undefined };

/** Two pictures of 32 × 32 beside each other, of which the first is the answer. */
const image = (load: PlannedImage['model']['load']): PlannedImage => ({
  plan: {
    route: 'morph',
    identity: { metadata: 'none' },
    title: undefined,
    pictures: {
      from: 'generator',
      sizes: [
        { width: 32, height: 32 },
        { width: 32, height: 32 },
      ],
      latents: () => [new Float32Array(100), new Float32Array(100).fill(0.5)],
    },
    encoded: { pictures: 1, pixels: 32 * 32 },
    output: { format: 'png', compose: ([first]) => first! },
  },
  metadata: undefined,
  model: {
    ...{ name: 'random', kept: false, load, describe: never, openFile: never },
    loadGallery: async () => undefined,
  },
  request: new Request('https://example.org/morph?from=a&to=b'),
});

it('an image is rendered, encoded and counted in this thread, and the runtime held awake for it', async () => {
  const held: Promise<unknown>[] = [];
  const { make, progress } = createImageMaker({
    encodeWebp: never,
    waitUntil: (work) => held.push(work),
  });
  const file = make(
    image(async () => generator),
    wanted,
  );
  const { width, height, data } = decode(await file);
  const picture = await generator.render(new Float32Array(100));
  expect([width, height, [...data]]).toEqual([32, 32, [...picture.data]]);
  expect(progress()).toEqual({ rendered: 2, pending: 0 });
  expect(held).toHaveLength(1);
});

it('another thread renders the same path, and this one counts what is pending', async () => {
  const { resolve, promise } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const asked = Promise.withResolvers<string>();
  const { make, progress } = createImageMaker({
    encodeWebp: never,
    waitUntil: () => undefined,
    renderElsewhere: {
      render(path) {
        asked.resolve(path);
        return promise;
      },
      rendered: () => 7,
    },
  });
  const file = make(
    image(async () => generator),
    wanted,
  );
  expect(await asked.promise).toBe('/morph?from=a&to=b');
  expect(progress()).toEqual({ rendered: 7, pending: 2 });
  resolve(Uint8Array.of(1, 2, 3));
  expect([...(await file)]).toEqual([1, 2, 3]);
  expect(progress().pending).toBe(0);
});
