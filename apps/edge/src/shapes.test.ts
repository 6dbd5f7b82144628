import {
  activation,
  articleGenerator,
  batchNormalization,
  conv2d,
  dense,
  encodeLatent,
  reshape,
  sequential,
  upSampling2d,
} from '@killme/model';
import { decode, decodeApng } from 'fast-png';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createApp } from './app.ts';
import { openGenerator } from './generator/generator.ts';
import { checkRenders } from './generator/registry.ts';
import { compileBinaries, compileWebpBinary } from './runtimes/disk.ts';
import { randomGeneratorFiles } from './testing/index.ts';

/** Renders pictures of 48×64 pixels. */
const tall = (channels: number) =>
  sequential(
    'generator',
    [100],
    [dense(8 * 6 * 4), reshape(8, 6, 4)]
      .concat([1, 2, 3].flatMap(() => [upSampling2d(), conv2d(4)]))
      .concat(conv2d(channels), activation('tanh')),
  );

async function open(network: ReturnType<typeof tall>) {
  const files = await randomGeneratorFiles({ network, encoding: 'float32' });
  return openGenerator({
    readFile: async (name) => files.get(name)!,
    loadBinaries: compileBinaries,
  });
}

const serve = (generator: Awaited<ReturnType<typeof open>>) =>
  createApp({
    listGenerators: async () => [{ name: 'tall', load: async () => generator }],
    readPage: async () =>
      new TextEncoder().encode(
        '<img width="128" height="128"><meta property="og:image" content="og">',
      ),
    loadWebpBinary: compileWebpBinary,
  });

describe.each([
  ['grey', 1, 0],
  ['RGB', 3, 2],
  ['RGBA', 4, 6],
])('a generator of %s pictures that are higher than wide', async (_, channels, colourType) => {
  const generator = await open(tall(channels));
  const app = serve(generator);
  const bytesOf = async (path: string) => {
    const answer = await app.request(path);
    expect(answer.status, path).toBe(200);
    return Buffer.from(await answer.arrayBuffer());
  };

  it('is served as it is', async () => {
    const z = encodeLatent(new Float32Array(100).fill(0.5));
    const png = await bytesOf(`/img?z=${z}`);
    expect(png[25]).toBe(colourType);
    expect(decode(png)).toMatchObject({ width: 48, height: 64, channels });
    expect([...decode(png).data]).toEqual([
      ...generator.render(new Float32Array(100).fill(0.5)).data,
    ]);
  });

  it.each([
    ['/img?seed=a&size=128', 96, 128],
    ['/morph?from=a&to=b&steps=3', 144, 64],
    ['/morph?from=a&to=b&steps=3&space=pixel&size=128', 288, 128],
    ['/grid?seed=a&n=2', 96, 128],
    ['/mix?plus=a,b&minus=c', 48, 64],
  ])('keeps its shape and channels: %s', async (path, width, height) => {
    expect(decode(await bytesOf(path))).toMatchObject({ width, height, channels });
  });

  it.each([
    ['/img?seed=a&format=webp', { format: 'webp', width: 48, height: 64 }],
    ['/morph?from=a&to=b&steps=3&format=gif', { format: 'gif', width: 48, height: 64, pages: 3 }],
    ['/og?seed=a', { format: 'png', width: 1200, height: 630, channels: 3 }],
  ])('is in other formats too: %s', async (path, expected) => {
    expect(await sharp(await bytesOf(path)).metadata()).toMatchObject(expected);
  });

  it('is in animations and JSON as it is in the strip', async () => {
    const walk = '/morph?from=a&to=b&steps=2';
    const first = decode(await bytesOf('/img?seed=a'));
    expect(decode(await bytesOf(`${walk}&format=apng`)).data).toEqual(first.data);
    const json = JSON.parse((await bytesOf(`${walk}&format=json`)).toString());
    expect(json).toMatchObject({ width: 48, height: 64 });
    const image = Buffer.from(json.frames[0].image.split(',')[1], 'base64');
    expect(decode(image).data).toEqual(first.data);
  });

  it('has its shape on the page', async () => {
    expect((await bytesOf('/')).toString()).toContain('<img width="96" height="128">');
  });
});

it('digits of 28×28 are served as they are, one by one and in sheets', async () => {
  const digits = sequential(
    'generator',
    [100],
    [dense(196), reshape(7, 7, 4), upSampling2d(), upSampling2d(), conv2d(1), activation('tanh')],
  );
  const app = serve(await open(digits));
  for (const [path, side] of [
    ['/img?seed=a', 28],
    ['/grid?seed=a', 140],
    ['/grid?seed=a&size=64&n=2', 128],
  ] as const) {
    const png = Buffer.from(await (await app.request(path)).arrayBuffer());
    expect(png[25], path).toBe(0);
    expect(decode(png), path).toMatchObject({ width: side, height: side, channels: 1 });
  }
  const walk = await app.request('/morph?from=a&to=b&steps=2&format=apng');
  expect(decodeApng(new Uint8Array(await walk.arrayBuffer()), { checkCrc: true })).toMatchObject({
    ...{ width: 28, height: 28, channels: 1, numberOfFrames: 2 },
  });
});

it('a sheet of large pictures has a size that fits, when none is asked for', async () => {
  const generator = await open(articleGenerator({ width: 1 / 16, imageSize: 256 }));
  const sheet = await serve(generator).request('/grid?seed=a&n=8', { method: 'HEAD' });
  expect(sheet.status).toBe(200); // 8 × 8 of 221² pixels
});

it('a generator that cannot render is found out before it is served', async () => {
  const network = sequential(
    'generator',
    [100],
    [dense(8 * 8 * 3), reshape(8, 8, 3), batchNormalization(), activation('tanh')],
  );
  const generator = await open(network);
  await checkRenders(generator);
  const broken = { ...generator, render: () => generator.render(new Float32Array(100).fill(NaN)) };
  await expect(checkRenders(broken)).rejects.toThrow(
    /^the generator cannot render a picture: the generator gave NaN at position 0$/,
  );
});
