import { createRandom } from '@killme/model';
import fc from 'fast-check';
import { decode } from 'fast-png';
import { expect, it } from 'vitest';
import { encodePng } from './png.ts';

const picture = (width: number, height: number, byte: (index: number) => number) => ({
  width,
  height,
  channels: 3 as const,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => byte(i)),
});

it('makes a PNG that another decoder reads as it was, whatever its size and pixels', () => {
  return fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.string(),
      fc.constantFrom(1, 8, 256),
      async (width, height, seed, levels) => {
        const numbers = createRandom(seed).uniform(width * height * 3); // in [-1, 1)
        const rendered = picture(width, height, (i) =>
          Math.floor(((numbers[i]! + 1) / 2) * levels),
        );
        const read = decode(await encodePng(rendered), { checkCrc: true });
        expect(read).toMatchObject({ width, height, channels: 3, depth: 8 });
        expect([...read.data]).toEqual([...rendered.data]);
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

it('packs a plain picture into next to nothing', async () => {
  expect((await encodePng(picture(128, 128, () => 200))).length).toBeLessThan(400);
});

it.each([
  [1, 'grey', 0],
  [3, 'RGB', 2],
  [4, 'RGBA', 6],
] as const)('keeps %i channels: %s is colour type %i', async (channels, _, type) => {
  const data = Uint8Array.from({ length: 5 * 7 * channels }, (_, i) => (37 * i) & 255);
  const png = await encodePng({ width: 5, height: 7, channels, data });
  expect([png[24], png[25]]).toEqual([8, type]); // of IHDR
  expect(decode(png)).toMatchObject({ width: 5, height: 7, channels, data });
});

it('gives the same bytes in slices, and lets others run between them', async () => {
  const noise = createRandom('slices').uniform(400 * 400 * 3);
  const large = picture(400, 400, (i) => Math.floor((noise[i]! + 1) * 128));
  let pauses = 0;
  const pause = async () => {
    pauses++;
  };
  const sliced = await encodePng(large, { pause });
  expect(pauses).toBe(3); // 480,400 bytes in slices of 128 KiB
  expect(decode(sliced).data).toEqual(large.data);
});
