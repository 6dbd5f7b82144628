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
  pixels: count * side * side,
  output: { format, compose },
});

// By hand: 1 ms + 10 ms a picture + (90 ns to resample + those to encode) a pixel.
it.each([
  ['png', 1, 100, 1 + 10 + 10_000 * 180e-6],
  ['webp', 1, 100, 1 + 10 + 10_000 * 340e-6],
  ['gif', 64, 200, 1 + 640 + 2_560_000 * 220e-6],
] as const)(
  '%s of %i pictures of %i² is rendered, resampled and encoded',
  (format, count, side, ms) => {
    expect(estimateCostMs(plan(count, side, format), 10)).toBeCloseTo(ms, 9);
  },
);

it('counts the pixels of the whole answer, not of what is rendered', () => {
  const fade = { ...plan(2, 200, 'gif'), pixels: 64 * 40_000 };
  expect(estimateCostMs(fade, 10)).toBeCloseTo(1 + 20 + 80_000 * 90e-6 + 2_560_000 * 130e-6, 9);
});
