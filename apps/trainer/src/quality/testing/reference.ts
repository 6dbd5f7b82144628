/** What test/reference/quality_vectors.py has worked out, and the inputs that it took. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@killme/model';
import { z } from 'zod';
import type { Features } from '../features.ts';
import type { ImageSet } from '../image-set.ts';

const REFERENCE = join(import.meta.dirname, '../../../../../test/reference/quality.json');
const sharesSchema = z.object({
  precision: z.number(),
  recall: z.number(),
  density: z.number(),
  coverage: z.number(),
});

export const reference = z
  .object({
    slicedWasserstein: z.array(z.object({ side: z.number(), distance: z.number() })),
    kernelDistanceWhole: z.number(),
    kernelDistance: z.object({ mean: z.number(), deviation: z.number() }),
    neighbourhoods: sharesSchema,
    neighbourhoodsOfThree: sharesSchema,
    clouds: z.object({ places: z.array(z.number()), share: z.number() }),
    parts: z.object({ model: z.number(), floor: z.number() }),
    walks: z.object({ pathLength: z.number(), largestStep: z.number() }),
    standardized: z.array(z.number()),
    randomFeatures: z.object({
      everySixteenth: z.array(z.number()),
      sums: z.array(z.number()),
    }),
  })
  .parse(JSON.parse(readFileSync(REFERENCE, 'utf8')));

/** Noise; in `b` red is darker and a white square lies in the middle. */
export function referenceImages(name: 'a' | 'b', count = 3): ImageSet {
  const side = 32;
  const words = createRandom(`test/quality/${name}`).uint32s(count * side * side * 3);
  const images = Uint8Array.from(words, (word) => word >>> 24);
  if (name === 'b') images.forEach(paint);
  return { count, imageSize: side, images };

  function paint(level: number, i: number): void {
    const pixel = Math.floor(i / 3) % (side * side);
    const [y, x] = [Math.floor(pixel / side), pixel % side];
    const isInSquare = y >= 8 && y < 24 && x >= 8 && x < 24;
    images[i] = isInSquare ? 255 : i % 3 === 0 ? level >> 1 : level;
  }
}

/** Eight images of 16×16 patches, each of grey 128 and up to 13 (real) or 10 levels more or less in each channel. */
export function referencePatches(name: 'real' | 'made'): ImageSet {
  const [count, side, patches] = [8, 32, 16];
  const range = name === 'real' ? 13 : 10;
  const offsets = createRandom(`test/quality/patches/${name}`).uniform(count * patches ** 2 * 3);
  const images = Uint8Array.from({ length: count * side * side * 3 }, (_, i) => {
    const image = Math.floor(i / (side * side * 3));
    const pixel = Math.floor(i / 3) % (side * side);
    const [row, column] = [Math.floor(pixel / side) >> 1, (pixel % side) >> 1];
    const offset = offsets[((image * patches + row) * patches + column) * 3 + (i % 3)]!;
    return 128 + Math.floor(range * offset);
  });
  return { count, imageSize: side, images };
}

/** Uniform numbers; those of `fake` lie closer together, and elsewhere. */
export function referenceFeatures(name: 'real' | 'fake'): Features {
  const [count, size] = name === 'real' ? [30, 6] : [24, 6];
  const values = createRandom(`test/quality/${name}`).uniform(count * size);
  if (name === 'real') return { count, size, values };
  return { count, size, values: values.map((value) => value * 0.8 + 0.3) };
}
