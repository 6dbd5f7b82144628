import { describe, expect, it } from 'vitest';
import { createRandom, moveLatent } from '../index.ts';

const space = { size: 2, distribution: 'uniform' } as const;
const right = new Float32Array([1, 0]);
const diagonal = new Float32Array([0.6, 0.8]);

describe('moveLatent', () => {
  it('goes so many standard deviations of a latent along each vector', () => {
    const latent = new Float32Array([0.1, -0.2]);
    const moves = [
      { vector: right, strength: -1 },
      { vector: diagonal, strength: 0.5 },
    ];
    const [x, y] = moveLatent(latent, moves, space);
    const deviation = Math.sqrt(1 / 3); // of uniform(-1, 1): (1 − (−1))² / 12
    expect(x).toBeCloseTo(0.1 + deviation * (-1 + 0.5 * 0.6), 6);
    expect(y).toBeCloseTo(-0.2 + deviation * 0.5 * 0.8, 6);
    expect([...moveLatent(latent, [], space)]).toEqual([...latent]);
  });

  it('has a unit that latents themselves have along any vector of length 1', () => {
    const numbers = createRandom('directions').uniform(20_000);
    const along = Array.from(
      { length: 10_000 },
      (_, i) => numbers[2 * i]! * diagonal[0]! + numbers[2 * i + 1]! * diagonal[1]!,
    );
    const variance = along.reduce((sum, value) => sum + value ** 2, 0) / along.length;
    const [unit] = moveLatent(new Float32Array(2), [{ vector: right, strength: 1 }], space);
    // The variance of 10,000 samples is within 5 % of its expectation, at more than 4 deviations.
    expect(variance / unit! ** 2).toBeGreaterThan(0.95);
    expect(variance / unit! ** 2).toBeLessThan(1.05);
  });

  it('stays in the range of latents', () => {
    const moved = moveLatent(
      new Float32Array([0.9, -0.9]),
      [{ vector: right, strength: 4 }],
      space,
    );
    expect([...moved]).toEqual([1, Math.fround(-0.9)]);
  });
});
