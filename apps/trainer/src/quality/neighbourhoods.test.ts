import { describe, expect, it } from 'vitest';
import { neighbourhoods } from './neighbourhoods.ts';
import { reference, referenceFeatures } from './testing/reference.ts';

const line = (...values: number[]) => ({
  count: values.length,
  size: 1,
  values: Float32Array.from(values),
});

describe('precision, recall, density and coverage', () => {
  it('are those of the reference, for 5 neighbours and for 3', () => {
    const [real, fake] = [referenceFeatures('real'), referenceFeatures('fake')];
    for (const [k, expected] of [
      [5, reference.neighbourhoods],
      [3, reference.neighbourhoodsOfThree],
    ] as const) {
      const scores = neighbourhoods(real, fake, k);
      expect(scores.precision).toBeCloseTo(expected.precision, 9);
      expect(scores.recall).toBeCloseTo(expected.recall, 9);
      expect(scores.density).toBeCloseTo(expected.density, 9);
      expect(scores.coverage).toBeCloseTo(expected.coverage, 9);
    }
  });

  it('by hand: fakes about one of two reals, with the nearest neighbour', () => {
    // Radii: reals 0, 10, 12 → 10, 2, 2; fakes 11, 11.5, 100 → 0.5, 0.5, 88.5.
    const scores = neighbourhoods(line(0, 10, 12), line(11, 11.5, 100), 1);
    expect(scores.precision).toBeCloseTo(2 / 3);
    // Only the far fake's ball is wide, and it begins at 11.5: 12 lies in it.
    expect(scores.recall).toBeCloseTo(1 / 3);
    // 11 and 11.5 lie in the balls of 10 and 12: 4 of 3 fakes × 1.
    expect(scores.density).toBeCloseTo(4 / 3);
    expect(scores.coverage).toBeCloseTo(2 / 3);
  });

  it('of a generator that makes a single image: precise, and nothing recalled', () => {
    const reals = line(0, 1, 2, 3, 4, 5, 6, 7);
    const scores = neighbourhoods(reals, line(3, 3, 3, 3), 2);
    expect(scores).toMatchObject({ precision: 1, recall: 0 });
    expect(scores.coverage).toBeLessThan(0.5);
  });
});
