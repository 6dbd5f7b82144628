import { lerp } from '@killme/model';
import { describe, expect, it } from 'vitest';
import { reference, referenceFeatures } from './testing/reference.ts';
import { evennessOf, walkEnds, walkKinds, walkLatents } from './walks.ts';

const points = (...values: number[]) => ({
  count: values.length,
  size: 1,
  values: Float32Array.from(values),
});

describe('walks', () => {
  const space = { size: 6, distribution: 'uniform', classes: [5, 3, 2] } as const;
  const classOf = (latent: Float32Array) => latent.subarray(3).indexOf(1);

  it('have ends of one class, or of two', () => {
    expect(walkKinds(space)).toEqual(['within', 'between']);
    for (const [from, to] of walkEnds(space, 'within', 20)) expect(classOf(from)).toBe(classOf(to));
    for (const [from, to] of walkEnds(space, 'between', 20)) {
      expect(classOf(from)).not.toBe(classOf(to));
      const middle = lerp(from, to, 0.5).subarray(3);
      expect([...middle].sort()).toEqual([-1, 0, 0]);
    }
  });

  it('go between any two seeds where there are no classes', () => {
    const plain = { size: 6, distribution: 'uniform' } as const;
    expect(walkKinds(plain)).toEqual(['any']);
    expect(walkEnds(plain, 'any', 3)).toHaveLength(3);
  });

  it('take the path of the edge: an arc where latents are normal', () => {
    const ends: [Float32Array, Float32Array] = [Float32Array.of(2, 0), Float32Array.of(0, 2)];
    const middle = (distribution: 'uniform' | 'normal') => [
      ...walkLatents(ends, { size: 2, distribution }, 3)[1]!,
    ];
    expect(middle('uniform')).toEqual([1, 1]);
    for (const value of middle('normal')) expect(value).toBeCloseTo(Math.SQRT2, 6); // as long as both ends
  });

  it('are even where all steps are equal, by hand', () => {
    expect(evennessOf(points(0, 1, 2, 3, 4))).toEqual({ pathLength: 1, largestStep: 0.25 });
    // Steps 3, 1, 4 back and 2: 10 in all, with ends 2 apart.
    expect(evennessOf(points(0, 3, 4, 0, 2))).toEqual({ pathLength: 5, largestStep: 0.4 });
  });

  it('that stand still are even too', () => {
    expect(evennessOf(points(1, 1, 1))).toEqual({ pathLength: 1, largestStep: 0.5 });
  });

  it('are as long and as even as in the reference', () => {
    const { pathLength, largestStep } = evennessOf(referenceFeatures('real'));
    expect(pathLength).toBeCloseTo(reference.walks.pathLength, 5);
    expect(largestStep).toBeCloseTo(reference.walks.largestStep, 6);
  });
});
