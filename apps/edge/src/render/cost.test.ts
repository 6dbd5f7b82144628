import { expect, it } from 'vitest';
import { estimateCostMs } from './cost.ts';
import type { Output, PicturePlan } from './plan.ts';

const compose = (): never => {
  throw new Error('a cost is known before anything is composed');
};

const plan = (count: number, side: number, format: Output['format']): PicturePlan => ({
  route: 'morph',
  identity: { metadata: 'none' },
  title: undefined,
  pictures: {
    from: 'generator',
    sizes: Array.from({ length: count }, () => ({ width: side, height: side })),
    latents: compose,
  },
  encoded: { pictures: count, pixels: count * side * side },
  output: { format, compose },
});

const rendering = { renderMs: 10, own: { width: 128, height: 128 } };

// By hand: 1 ms + for each picture 10 ms and what a resampled and an encoded one take beside their
// pixels + the nanoseconds of each pixel.
it.each([
  ['png', 1, 100, 1 + 10 + 0.45 + 0.2 + 10_000 * (25 + 80) * 1e-6],
  ['png', 1, 128, 1 + 10 + 0.2 + 16_384 * 80e-6],
  ['webp', 1, 100, 1 + 10 + 0.45 + 0.7 + 10_000 * (25 + 150) * 1e-6],
  ['gif', 64, 200, 1 + 64 * (10 + 0.45 + 0.9) + 2_560_000 * (25 + 40) * 1e-6],
] as const)(
  '%s of %i pictures of %i² is rendered, resampled where it is not 128², and encoded',
  (format, count, side, ms) => {
    expect(estimateCostMs(plan(count, side, format), rendering)).toBeCloseTo(ms, 9);
  },
);

it('counts what a cross-fade makes of two pictures', () => {
  const pixels = 64 * 40_000;
  const fade = { ...plan(2, 200, 'gif'), fadedPixels: pixels, encoded: { pictures: 64, pixels } };
  const ms = 1 + 2 * (10 + 0.45) + 80_000 * 25e-6 + 64 * 0.9 + pixels * (42 + 40) * 1e-6;
  expect(estimateCostMs(fade, rendering)).toBeCloseTo(ms, 9);
});
