import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs'; // plain tfjs, for its gradients and its optimizer
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom, interleavePhases, product } from '../index.ts';
import {
  adamStep,
  batchNormTrain,
  dropoutMask,
  moveAverages,
  registerTrainingKernels,
  upsampleConv2d,
} from './index.ts';

function random(key: string, ...shape: [number, number, number, number]): tf.Tensor4D {
  return tf.tensor4d(createRandom(key).uniform(product(shape)), shape);
}

function maxDifference(a: tf.Tensor, b: tf.Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

describe('upsampleConv2d', () => {
  // Not tf.image.resizeNearestNeighbor: its gradient on tfjs's cpu backend is another function's.
  const plain = (x: tf.Tensor, filter: tf.Tensor) => {
    const upsampled = interleavePhases([x, x, x, x] as tf.Tensor4D[]);
    return tf.conv2d(upsampled, filter as tf.Tensor4D, 1, 'same');
  };

  it('equals upsampling, then convolving', () => {
    const x = random('x', 2, 5, 3, 4);
    const filter = random('filter', 3, 3, 4, 6);
    expect(maxDifference(upsampleConv2d(x, filter), plain(x, filter))).toBeLessThan(1e-5);
  });

  it('has the gradients of upsampling, then convolving', () => {
    const inputs = [random('x', 2, 5, 3, 4), random('filter', 3, 3, 4, 6)];
    const dy = random('dy', 2, 10, 6, 6);
    const ours = tf.grads((x, filter) => upsampleConv2d(x as tf.Tensor4D, filter as tf.Tensor4D));
    const theirs = tf.grads(plain);
    const expected = theirs(inputs, dy);
    for (const [i, gradient] of ours(inputs, dy).entries()) {
      expect(maxDifference(gradient, expected[i]!)).toBeLessThan(1e-4);
    }
  });
});

describe('batchNormTrain', () => {
  const gamma = tf.tensor1d([0.5, -2]);
  const beta = tf.tensor1d([0.1, 3]);

  it('normalizes each channel over batch, height and width', () => {
    // One channel is 0, 1, 2, 3 (mean 1.5, variance 1.25), the other constant.
    const x = tf.tensor4d([0, 7, 1, 7, 2, 7, 3, 7], [1, 2, 2, 2]);
    const { y, mean, variance } = batchNormTrain(x, gamma, beta, { epsilon: 1e-3 });
    expect([...mean.dataSync()]).toEqual([1.5, 7]);
    expect([...variance.dataSync()]).toEqual([1.25, 0]);
    const scale = 0.5 / Math.sqrt(1.25 + 1e-3);
    const expected = [-1.5, -0.5, 0.5, 1.5].flatMap((v) => [v * scale + 0.1, 3]);
    expect(maxDifference(y, tf.tensor4d(expected, [1, 2, 2, 2]))).toBeLessThan(1e-6);
  });

  it('has the gradients of its formula', () => {
    const x = random('x', 3, 4, 4, 2);
    const dy = random('dy', 3, 4, 4, 2);
    const formula = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3))), gamma), beta);
    };
    const ours = tf.grads(
      (x, gamma, beta) =>
        batchNormTrain(x as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D, {
          epsilon: 1e-3,
        }).y,
    );
    const expected = tf.grads(formula)([x, gamma, beta], dy);
    for (const [i, gradient] of ours([x, gamma, beta], dy).entries()) {
      expect(maxDifference(gradient, expected[i]!)).toBeLessThan(1e-4);
    }
  });
});

describe('dropoutMask', () => {
  it('keeps a fraction 1 − rate, scaled by 1 / (1 − rate)', () => {
    const mask = dropoutMask([100, 100], 0.25, 'key').dataSync();
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(4 / 3)]));
    const kept = mask.filter((value) => value > 0).length / mask.length;
    expect(kept).toBeGreaterThan(0.73);
    expect(kept).toBeLessThan(0.77);
  });

  it('is the same for the same key, and another for another', () => {
    const mask = (key: string) => [...dropoutMask([64], 0.5, key).dataSync()];
    expect(mask('a')).toEqual(mask('a'));
    expect(mask('a')).not.toEqual(mask('b'));
  });
});

describe('adamStep', () => {
  it('follows the formula, worked by hand', () => {
    const tensors = {
      parameter: tf.tensor1d([1]),
      firstMoment: tf.tensor1d([0.2]),
      secondMoment: tf.tensor1d([0.04]),
    };
    const options = { rate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 0 };
    const next = adamStep(tensors, tf.tensor1d([0.6]), options);
    // m = 0.2 + 0.5 · 0.4 = 0.4; v = 0.04 + 0.1 · (0.36 − 0.04) = 0.072
    expect(next.firstMoment.dataSync()[0]).toBeCloseTo(0.4, 6);
    expect(next.secondMoment.dataSync()[0]).toBeCloseTo(0.072, 6);
    expect(next.parameter.dataSync()[0]).toBeCloseTo(1 - (0.1 * 0.4) / Math.sqrt(0.072), 6);
  });
});

describe('moveAverages', () => {
  it('moves each by a share of its way, given as a number or a tensor', () => {
    const [average, value] = [tf.tensor1d([0, 4]), tf.tensor1d([8, -4])];
    for (const share of [0.25, tf.scalar(0.25)]) {
      const moved = moveAverages([average, value], [value, average], share);
      expect(moved.map((tensor) => [...tensor.dataSync()])).toEqual([
        [2, 2],
        [6, -2],
      ]);
    }
  });
});
