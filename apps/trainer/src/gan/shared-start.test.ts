import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import { dense, reshape, sequential } from '@killme/model';
import { applyNetwork } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { initializeNetwork, trainableSpecs } from './network-state.ts';
import {
  followSharedStart,
  SHARED_START,
  updateSharedStart,
  withSharedStart,
} from './shared-start.ts';

/** A latent of 2 numbers onto 1×2 cells of 2 channels. */
const plain = sequential('generator', [2], [dense(4), reshape(1, 2, 2)]);
const network = withSharedStart(plain);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function begin() {
  const state = initializeNetwork(network, 'weights');
  updateSharedStart(state);
  return state;
}

describe('a first layer that all cells share', () => {
  it('trains its factors and biases; the kernel that they make is not trained by itself', () => {
    expect(trainableSpecs(network).map(({ name, shape }) => [name, ...shape])).toEqual([
      ['dense/bias', 4],
      [SHARED_START.kernel, 2, 2],
      [SHARED_START.basis, 2, 2],
    ]);
  });

  it('has the product of kernel and basis, cell by cell', () => {
    const { weights } = begin();
    for (const name of Object.values(SHARED_START)) weights.get(name)!.dispose();
    weights.set(SHARED_START.kernel, tf.tensor2d([1, 2, 3, 4], [2, 2]));
    weights.set(SHARED_START.basis, tf.tensor2d([10, 100, -1, 0], [2, 2]));
    updateSharedStart({ network, weights });
    expect(weights.get('dense/kernel')!.arraySync()).toEqual([
      [10, 200, -1, 0],
      [30, 400, -3, 0],
    ]);
    // The network that is exported has that kernel, and gives the same.
    const latents = tf.tensor2d([[2, -1]]);
    const image = applyNetwork(plain, weights, latents, { training: false });
    expect([...image.dataSync()]).toEqual([20 - 30, 400 - 400, -2 + 3, 0]);
  });

  it('begins with cells that differ, and no tensor more than it has weights and moments', () => {
    const before = tf.memory().numTensors;
    const { weights, moments } = begin();
    expect(tf.memory().numTensors - before).toBe(weights.size + 2 * moments.size);
    expect(new Set(weights.get(SHARED_START.basis)!.dataSync()).size).toBe(4);
    expect(weights.get('dense/kernel')!.arraySync()).toEqual(
      followSharedStart(network, weights).get('dense/kernel')!.arraySync(),
    );
  });

  it('passes gradients to both factors', () => {
    const { weights } = begin();
    const factors = Object.values(SHARED_START).map((name) => weights.get(name)!);
    const { grads } = tf.valueAndGrads(() => {
      const made = followSharedStart(network, weights);
      const image = applyNetwork(network, made, tf.tensor2d([[2, -1]]), { training: false });
      return tf.sum(image) as tf.Scalar;
    })(factors);
    const [kernel, basis] = factors.map((factor) => factor.arraySync() as number[][]);
    // d/d shared[z, c] = z · Σ basis[cell, c], d/d basis[cell, c] = Σ z · shared[z, c].
    const column = (c: number) => basis![0]![c]! + basis![1]![c]!;
    const reading = (c: number) => 2 * kernel![0]![c]! - kernel![1]![c]!;
    const expected = [
      [2 * column(0), 2 * column(1), -column(0), -column(1)],
      [reading(0), reading(1), reading(0), reading(1)],
    ];
    for (const [i, gradient] of grads.entries()) {
      const values = [...gradient.dataSync()];
      for (const [at, value] of values.entries()) expect(value).toBeCloseTo(expected[i]![at]!, 5);
    }
  });

  it('is refused to a network that begins otherwise', () => {
    const flat = sequential('generator', [3], [dense(8)]);
    expect(() => withSharedStart(flat)).toThrow('has no dense layer onto cells');
  });
});
