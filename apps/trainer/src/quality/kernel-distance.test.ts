import { describe, expect, it } from 'vitest';
import { rows } from './features.ts';
import { kernelDistance } from './kernel-distance.ts';
import { reference, referenceFeatures } from './testing/reference.ts';

describe('the kernel distance', () => {
  const real = referenceFeatures('real');
  const fake = referenceFeatures('fake');

  it('of whole sets is that of scikit-learn’s kernel', () => {
    const whole = kernelDistance(rows(real, 0, 24), fake, { subset: 24, key: 'any' });
    expect(whole.mean).toBeCloseTo(reference.kernelDistanceWhole, 6);
    expect(whole.deviation).toBeCloseTo(0, 9);
  });

  it('over subsets has the mean and the deviation of the reference', () => {
    const scores = kernelDistance(real, fake, { subset: 10, key: 'test/quality/subsets' });
    expect(scores.mean).toBeCloseTo(reference.kernelDistance.mean, 6);
    expect(scores.deviation).toBeCloseTo(reference.kernelDistance.deviation, 6);
  });

  it('by hand: two points each on a line', () => {
    // Kernels (xy + 1)³: real 0, 1 → 1; fake 1, 2 → 27; across 0·1, 0·2 → 1, 1·1 → 8, 1·2 → 27.
    const set = (...values: number[]) => ({ count: 2, size: 1, values: Float32Array.from(values) });
    const { mean } = kernelDistance(set(0, 1), set(1, 2), { subset: 2, key: 'any' });
    expect(mean).toBeCloseTo(1 + 27 - (2 * (1 + 1 + 8 + 27)) / 4, 9);
  });
});
