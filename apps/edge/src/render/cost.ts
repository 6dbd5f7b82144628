/**
 * What an answer costs, in milliseconds of one core, before anything is rendered: from it the
 * scheduler knows how much it has accepted. Estimates for two cores of 2025, not calibrated;
 * what counts is what they are relative to each other.
 *
 * @module
 */

import type { PicturePlan } from './plan.ts';
import { area } from './size.ts';

/** Nanoseconds for each pixel that leaves the resampler. */
const RESAMPLE_NS = 90;

/** Nanoseconds for each pixel that is encoded. */
const ENCODE_NS = { png: 90, apng: 90, json: 110, gif: 130, webp: 250 };

/** What every answer costs beside: parsing, hashing, sending. */
const OVERHEAD_MS = 1;

/**
 * @param renderMs of one picture, see generator.ts
 * @returns milliseconds.
 */
export function estimateCostMs(
  { pictures, pixels, output }: PicturePlan,
  renderMs: number,
): number {
  const sizes = pictures.from === 'generator' ? pictures.sizes : [pictures.size];
  const renderings = pictures.from === 'generator' ? sizes.length : 0;
  const resampled = sizes.reduce((sum, size) => sum + area(size), 0);
  const perPixel = resampled * RESAMPLE_NS + pixels * ENCODE_NS[output.format];
  return OVERHEAD_MS + renderings * renderMs + perPixel / 1e6;
}
