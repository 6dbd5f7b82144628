import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { largestSingularValue } from './spectral-normalization.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('largestSingularValue', () => {
  it('is that of a matrix worked by hand', () => {
    // [[3, 0], [4, 5]]: KᵀK = [[25, 20], [20, 25]] has 45 and 5.
    const kernel = tf.tensor4d([3, 0, 4, 5], [1, 1, 2, 2]);
    expect(largestSingularValue(kernel).dataSync()[0]).toBeCloseTo(Math.sqrt(45), 4);
  });

  it('has the gradient u vᵀ', () => {
    // v = [1, 1] / √2, u = K v / σ = [3, 9] / √90.
    const kernel = tf.tensor4d([3, 0, 4, 5], [1, 1, 2, 2]);
    const gradient = tf.grad((x) => largestSingularValue(x))(kernel);
    const uv = [3, 3, 9, 9].map((x) => x / Math.sqrt(180));
    for (const [i, value] of [...gradient.dataSync()].entries())
      expect(value).toBeCloseTo(uv[i]!, 4);
  });

  it('is never found at a right angle to what is sought', () => {
    expect(largestSingularValue(tf.tensor2d([1, -1, -1, 1], [2, 2])).dataSync()[0]).toBeCloseTo(
      2,
      5,
    );
  });
});
