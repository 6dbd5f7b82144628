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
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.string(),
      fc.constantFrom(1, 8, 256),
      (width, height, seed, levels) => {
        const numbers = createRandom(seed).uniform(width * height * 3); // in [-1, 1)
        const rendered = picture(width, height, (i) =>
          Math.floor(((numbers[i]! + 1) / 2) * levels),
        );
        const read = decode(encodePng(rendered), { checkCrc: true });
        expect(read).toMatchObject({ width, height, channels: 3, depth: 8 });
        expect([...read.data]).toEqual([...rendered.data]);
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

it('packs a plain picture into next to nothing', () => {
  expect(encodePng(picture(128, 128, () => 200)).length).toBeLessThan(400);
});
