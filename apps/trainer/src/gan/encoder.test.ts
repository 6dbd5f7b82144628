import '@tensorflow/tfjs-backend-cpu';
import {
  createRandom,
  dense,
  flatten,
  type Network,
  sequential,
  WHITENING,
  withWhitening,
} from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeImages, toUniform } from './encoder.ts';
import { initializeNetwork, type NetworkState } from './network-state.ts';
import { normal } from './normal.ts';

const COMPONENTS = 2;
const network = sequential('encoder', [1, 1, 3], [flatten(), dense(2 * COMPONENTS)]);

/** An encoder that says the same of every image. */
function saying(
  ...[a, b, c, d, encoderNetwork = network]: [number, number, number, number, Network?]
): NetworkState {
  const encoder = initializeNetwork(encoderNetwork, 'encoder');
  encoder.weights.set('dense/kernel', tf.zeros([3, 2 * COMPONENTS]));
  encoder.weights.set('dense/bias', tf.tensor1d([a, b, c, d]));
  return encoder;
}

const images = (count: number) => tf.zeros([count, 1, 1, 3]) as tf.Tensor4D;
const silent = (count: number) => ({
  images: images(count),
  noise: () => tf.zeros([count, COMPONENTS]) as tf.Tensor2D,
});

function expectNumbers(tensor: tf.Tensor, wanted: readonly number[]) {
  const numbers = tensor.dataSync();
  expect(numbers).toHaveLength(wanted.length);
  wanted.forEach((value, i) => {
    expect(numbers[i]).toBeCloseTo(value, 6);
  });
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('toUniform', () => {
  it('is 2Φ(x) − 1', () => {
    // python3 -c "from math import erf; print([erf(x / 2**.5) for x in (-3, -1, -.5, 0, .25, 1, 2)])"
    const wanted = [-0.9973002, -0.6826895, -0.3829249, 0, 0.1974127, 0.6826895, 0.9544997];
    const mapped = toUniform(tf.tensor1d([-3, -1, -0.5, 0, 0.25, 1, 2])).dataSync();
    wanted.forEach((value, i) => {
      expect(Math.abs(mapped[i]! - value)).toBeLessThan(5e-4);
    });
  });
});

describe('encode', () => {
  it('knows nothing where it says the prior: latents are uniform then', () => {
    const count = 10_000;
    const noise = normal(createRandom('noise'), count * COMPONENTS);
    // A certainty of −30 is a variance of 1 but for 1e-13.
    const { latents, divergence } = encodeImages(saying(0, 0, -30, -30), {
      images: images(count),
      noise: () => tf.tensor2d(noise, [count, COMPONENTS]),
    });
    expect(divergence.dataSync()[0]).toBeCloseTo(0, 6);
    // Of ten equal bins each holds about 2,000 of 20,000, standard deviation 42.
    const bins = new Array(10).fill(0);
    for (const value of latents.dataSync()) bins[Math.floor((value + 1) * 5)]++;
    expect(Math.min(...bins)).toBeGreaterThan(1_830);
    expect(Math.max(...bins)).toBeLessThan(2_170);
  });

  it('diverges from the prior as two normal distributions do', () => {
    // ½ (μ² + σ² − 1 − ln σ²), σ² = 1 / (1 + e^certainty), μ = 3 tanh(place / 3)
    const divergenceOf = (place: number, certainty: number) => {
      const variance = 1 / (1 + Math.exp(certainty));
      const mean = 3 * Math.tanh(place / 3);
      return (mean ** 2 + variance - 1 - Math.log(variance)) / 2;
    };
    const { divergence } = encodeImages(saying(0.7, -2, 1, 4), silent(5));
    expect(divergence.dataSync()[0]).toBeCloseTo(divergenceOf(0.7, 1) + divergenceOf(-2, 4), 5);
  });

  describe('where latents are whitened', () => {
    const kernel = [
      [2, 0.5],
      [0, 3],
    ];
    const withMeans = (classes: number, means: number[][]) => {
      const whitened = withWhitening(network, classes);
      const encoder = saying(0, 0, 0, 0, whitened);
      encoder.weights.set(WHITENING.mean, tf.tensor2d(means));
      encoder.weights.set(WHITENING.kernel, tf.tensor2d(kernel));
      return encoder;
    };

    it('maps them last: (z − mean) kernel', () => {
      const { latents } = encodeImages(withMeans(1, [[0.1, -0.2]]), silent(1));
      // Where the encoder says the middle, z is 0: −0.1 · (2, 0.5) + 0.2 · (0, 3)
      expectNumbers(latents, [-0.2, 0.55]);
    });

    it('takes the mean of the class of each image', () => {
      const means = [
        [0.1, -0.2],
        [0, 1],
      ];
      const classes = tf.tensor2d([
        [0, 1],
        [1, 0],
      ]);
      const { latents } = encodeImages(withMeans(2, means), { ...silent(2), classes });
      expectNumbers(latents, [0, -3, -0.2, 0.55]);
    });
  });

  it('keeps latents in range and the divergence finite, whatever the network says', () => {
    const { latents, divergence } = encodeImages(saying(1e4, -1e4, 1e4, -1e4), silent(1));
    expect([...latents.dataSync()].map((value) => Math.abs(value) <= 1)).toEqual([true, true]);
    expect(Number.isFinite(divergence.dataSync()[0])).toBe(true);
  });
});
