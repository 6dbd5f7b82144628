/**
 * What an answer costs, in milliseconds of one core, before anything is rendered: from it the
 * scheduler knows how much it has accepted.
 *
 * @module
 */

import type { PicturePlan } from './plan.ts';
import { area, type Size } from './size.ts';

/** What is done with pictures after they are rendered: they are brought to a size, faded, encoded. */
export type Step = 'resample' | 'fade' | PicturePlan['output']['format'];

/**
 * Milliseconds for each picture, and nanoseconds for each of its pixels. By `npm run bench:cost`
 * of 2026-11-29 (AMD EPYC, Node 24.21.0; the table is in docs/serving-figures.md).
 */
const COSTS: Record<Step, { pictureMs: number; pixelNs: number }> = {
  resample: { pictureMs: 0.45, pixelNs: 25 },
  fade: { pictureMs: 0, pixelNs: 42 },
  png: { pictureMs: 0.2, pixelNs: 80 },
  apng: { pictureMs: 0.2, pixelNs: 80 },
  json: { pictureMs: 0.2, pixelNs: 110 },
  gif: { pictureMs: 0.9, pixelNs: 40 },
  webp: { pictureMs: 0.7, pixelNs: 150 },
};

/** What every answer costs beside: parsing, hashing, sending. */
export const OVERHEAD_MS = 1;

/** @returns milliseconds of one step for all pictures together. */
export const stepMs = (step: Step, pictures: number, pixels: number): number =>
  pictures * COSTS[step].pictureMs + (pixels * COSTS[step].pixelNs) / 1e6;

/**
 * @param rendering milliseconds of one picture, see generator.ts, and the size that it has then
 * @returns milliseconds.
 */
export function estimateCostMs(
  { pictures, fadedPixels = 0, encoded, output }: PicturePlan,
  { renderMs, own }: { renderMs: number; own: Size },
): number {
  const sizes = pictures.from === 'generator' ? pictures.sizes : [pictures.size];
  const renderings = pictures.from === 'generator' ? sizes.length : 0;
  const resampled = sizes.filter(
    ({ width, height }) => width !== own.width || height !== own.height,
  );
  const resampledPixels = resampled.reduce((sum, size) => sum + area(size), 0);
  return (
    OVERHEAD_MS +
    renderings * renderMs +
    stepMs('resample', resampled.length, resampledPixels) +
    stepMs('fade', 0, fadedPixels) +
    stepMs(output.format, encoded.pictures, encoded.pixels)
  );
}
