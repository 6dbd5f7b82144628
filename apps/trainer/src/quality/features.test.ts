import { describe, expect, it } from 'vitest';
import { squaredDistances, standardizer } from './features.ts';
import { reference, referenceFeatures } from './testing/reference.ts';

describe('the standardizer', () => {
  it('gives what scikit-learn gives', () => {
    const standardize = standardizer(referenceFeatures('real'));
    const [first] = [standardize(referenceFeatures('fake')).values.subarray(0, 6)];
    expect([...first]).toHaveLength(reference.standardized.length);
    reference.standardized.forEach((value, i) => {
      expect(first[i]).toBeCloseTo(value, 5);
    });
  });

  it('omits a feature that never changes in the reference set', () => {
    const standardize = standardizer({ count: 2, size: 2, values: Float32Array.of(7, 1, 7, 3) });
    const other = standardize({ count: 1, size: 2, values: Float32Array.of(9, 4) });
    expect([...other.values]).toEqual([0, 2]);
  });
});

it('distances of copies are exactly 0', () => {
  const set = referenceFeatures('real');
  const distances = squaredDistances(set, set);
  for (let i = 0; i < set.count; i++) expect(distances[i * set.count + i]).toBe(0);
});
