/**
 * Kernel distance between two sets of features: the squared maximum mean discrepancy with the cubic
 * kernel of KID (Bińkowski et al. 2018, arXiv:1801.01401), by its unbiased estimate, which may be
 * below 0 where the sets are alike.
 *
 * @module
 */

import { createRandom } from '@killme/model';
import { mean, standardDeviation } from 'simple-statistics';
import type { Features } from './features.ts';

const SUBSETS = 100;

/** A mean over subsets, and how far single ones lie from it. */
export interface KernelDistance {
  mean: number;
  deviation: number;
}

/**
 * @param subset rows of each set in a subset; sampled without replacement, 100 times.
 * @param key names the random numbers of the subsets, which do not depend on the features.
 */
export function kernelDistance(
  real: Features,
  fake: Features,
  { subset, key }: { subset: number; key: string },
): KernelDistance {
  const kernels = {
    real: kernelMatrix(real, real),
    fake: kernelMatrix(fake, fake),
    cross: kernelMatrix(real, fake),
  };
  const random = createRandom(key);
  const estimates = Array.from({ length: SUBSETS }, () => {
    const reals = random.permutation(real.count).subarray(0, subset);
    const fakes = random.permutation(fake.count).subarray(0, subset);
    return (
      meanOfPairs(kernels.real, real.count, reals, reals) +
      meanOfPairs(kernels.fake, fake.count, fakes, fakes) -
      2 * meanOfPairs(kernels.cross, fake.count, reals, fakes)
    );
  });
  return { mean: mean(estimates), deviation: standardDeviation(estimates) };
}

/** `(a · b / size + 1)³` for every pair of rows. */
function kernelMatrix(a: Features, b: Features): Float64Array {
  const { size } = a;
  const kernel = new Float64Array(a.count * b.count);
  for (let i = 0; i < a.count; i++) {
    for (let j = 0; j < b.count; j++) {
      let dot = 0;
      for (let f = 0; f < size; f++) dot += a.values[i * size + f]! * b.values[j * size + f]!;
      kernel[i * b.count + j] = (dot / size + 1) ** 3;
    }
  }
  return kernel;
}

/** Over all pairs, or over those of two different rows where both sides are one set. */
function meanOfPairs(
  kernel: Float64Array,
  width: number,
  left: Uint32Array,
  right: Uint32Array,
): number {
  let sum = 0;
  for (const i of left) for (const j of right) sum += kernel[i * width + j]!;
  if (left !== right) return sum / (left.length * right.length);
  for (const i of left) sum -= kernel[i * width + i]!;
  return sum / (left.length * (left.length - 1));
}
