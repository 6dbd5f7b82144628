import '@tensorflow/tfjs-backend-cpu';
import { dense, reshape, sequential } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { initializeNetwork, trainableSpecs } from './network-state.ts';
import { shareGradient, shareStart } from './shared-start.ts';

/** A latent of 3 numbers onto 2×2 cells of 2 channels. */
const network = sequential('generator', [3], [dense(8), reshape(2, 2, 2)]);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a first layer that all cells share', () => {
  it('has one kernel for all cells, as wide as Glorot’s for one, and biases that differ', () => {
    const state = initializeNetwork(network, 'weights');
    shareStart(state, 'weights');
    const kernel = (state.weights.get('dense/kernel') as tf.Tensor2D).arraySync();
    for (const row of kernel) {
      expect(row.slice(2)).toEqual([...row.slice(0, 2), ...row.slice(0, 2), ...row.slice(0, 2)]);
      for (const value of row) expect(Math.abs(value)).toBeLessThan(Math.sqrt(6 / (3 + 2)));
    }
    const bias = [...state.weights.get('dense/bias')!.dataSync()];
    expect(new Set(bias).size).toBe(8);
    expect(tf.memory().numTensors).toBe(state.weights.size + 2 * state.moments.size);
  });

  it('moves all cells by the mean of their gradients', () => {
    const [kernel, bias] = trainableSpecs(network).map(({ shape }) => tf.zeros([...shape]));
    const own = tf.tensor2d(
      [
        [1, 10, 2, 20, 3, 30, 6, 60],
        [0, 0, 0, 0, 0, 0, 4, 8],
        [1, 1, 1, 1, 1, 1, 1, 1],
      ],
      [3, 8],
    );
    kernel!.dispose();
    const gradients: tf.Tensor[] = [own, bias!];
    shareGradient(network, gradients);
    expect(gradients[0]!.arraySync()).toEqual([
      [3, 30, 3, 30, 3, 30, 3, 30],
      [1, 2, 1, 2, 1, 2, 1, 2],
      [1, 1, 1, 1, 1, 1, 1, 1],
    ]);
    expect(gradients[1]).toBe(bias);
    expect(own.isDisposed).toBe(true);
  });

  it('is refused to a network that begins otherwise', () => {
    const flat = sequential('generator', [3], [dense(8)]);
    expect(() => shareGradient(flat, [])).toThrow('does not begin with a dense layer onto cells');
  });
});
