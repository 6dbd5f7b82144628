import {
  articleGenerator,
  createRandom,
  encodeWeight,
  type HostWeight,
  liteGenerator,
  type Network,
  product,
} from '@killme/model';
import { describe, expect, it } from 'vitest';
import { classDirections, factorDirections } from './directions.ts';

/** Weights of a network: random, but for those that are given. */
function weightsOf(network: Network, given: Record<string, Float32Array>) {
  return new Map(
    network.weights.map(({ name, shape }): [string, HostWeight] => {
      const random = createRandom(name).uniform(product(shape));
      return [name, encodeWeight(given[name] ?? random, shape, 'float32')];
    }),
  );
}

describe('factorDirections', () => {
  const network = articleGenerator({ latentSize: 3, imageSize: 16, width: 1 / 16 });

  /** A kernel that stretches along three given axes of latent space, which stand square on each other. */
  function kernelAlong(axes: number[][], strengths: number[]): Float32Array {
    const units = network.weights[0]!.shape[1]!;
    const kernel = new Float32Array(3 * units);
    axes.forEach((axis, unit) => {
      axis.forEach((value, i) => {
        kernel[i * units + unit] = value * strengths[unit]!;
      });
    });
    return kernel;
  }

  it('finds the axes that the first layer was made of, the strongest first', () => {
    const axes = [
      [0.6, -0.8, 0],
      [0, 0, -1],
      [0.8, 0.6, 0],
    ];
    const kernel = kernelAlong(axes, [2, 0.5, 3]);
    const directions = factorDirections(network, weightsOf(network, { 'dense/kernel': kernel }));
    expect(directions.map(({ name, kind }) => [name, kind])).toEqual([
      ['direction-1', 'factor'],
      ['direction-2', 'factor'],
      ['direction-3', 'factor'],
    ]);
    // The largest component of each is positive.
    const expected = [
      [0.8, 0.6, 0],
      [-0.6, 0.8, 0],
      [0, 0, 1],
    ];
    directions.forEach(({ vector }, i) => {
      [...vector].forEach((value, j) => {
        expect(value).toBeCloseTo(expected[i]![j]!, 6);
      });
    });
  });

  it('counts a normalization directly after the first layer as part of it', () => {
    const lite = liteGenerator({ latentSize: 2 });
    const [, units] = lite.weights[0]!.shape as [number, number];
    const channels = 192;
    // Component 0 goes to channel 0 and component 1, twice as strong, to channel 1, whose scale is a tenth.
    const kernel = new Float32Array(2 * units);
    for (let unit = 0; unit < units; unit += channels) {
      kernel[unit] = 1;
      kernel[units + unit + 1] = 2;
    }
    const given = {
      'dense/kernel': kernel,
      'batch_normalization/gamma': new Float32Array(channels).fill(1).fill(0.1, 1, 2),
      'batch_normalization/moving_variance': new Float32Array(channels).fill(1),
    };
    const [first] = factorDirections(lite, weightsOf(lite, given));
    expect(first!.vector[0]).toBeCloseTo(1, 6);
    expect(first!.vector[1]).toBeCloseTo(0, 6);
  });
});

describe('classDirections', () => {
  it('lead from the mean of all to the mean of the class', () => {
    const latents = Array.from({ length: 100 }, (_, i) =>
      Float32Array.of(i < 25 ? 0.8 : 0, i < 25 ? -0.6 : 0.2),
    );
    const labels = latents.map((_, i) => (i < 25 ? 1 : i < 90 ? 0 : 2));
    const directions = classDirections({ latents, labels, classes: ['a', 'b', 'rare', 'none'] });
    expect(directions.map(({ name, kind }) => [name, kind])).toEqual([
      ['a', 'class'],
      ['b', 'class'],
    ]);
    // From the mean (0.2, 0) to (0.8, -0.6) and to (0, 0.2).
    const root = Math.SQRT1_2;
    [...directions[1]!.vector].forEach((value, i) => {
      expect(value).toBeCloseTo([root, -root][i]!, 5);
    });
    expect(directions[0]!.vector[0]).toBeCloseTo(-root, 5);
  });
});
