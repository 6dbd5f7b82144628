import '@tensorflow/tfjs-backend-cpu';
import { dense, sequential } from '@killme/model';
import { registerTrainingKernels } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyAdam, createNetworkState } from './network-state.ts';

const adam = { learningRate: 0.001, beta1: 0, beta2: 0.99, epsilon: 1e-7 };

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

/** How far a weight moves, in learning rates, long after the start, where squares of gradients were 1 on average. */
function stepOf(gradient: number[], clipsUpdates: boolean): number[] {
  const state = createNetworkState(sequential('g', [1], [dense(4)]), () => new Float32Array(4));
  state.steps = 100_000;
  for (const moments of state.moments.values()) moments.second = tf.onesLike(moments.second);
  const gradients = [tf.tensor2d([gradient]), tf.zeros([4])];
  applyAdam(state, gradients, { ...adam, clipsUpdates });
  const moved = [...state.weights.get('dense/kernel')!.dataSync()];
  expect([...state.weights.get('dense/bias')!.dataSync()]).toEqual([0, 0, 0, 0]);
  return moved.map((value) => -value / adam.learningRate);
}

describe('a clipped update', () => {
  it('is one learning rate long where a gradient is suddenly ten times as large', () => {
    // v becomes 0.99 + 0.01 · 100 = 1.99, so Adam’s own step is 10 / √1.99.
    for (const step of stepOf([10, 10, 10, 10], false)) expect(step).toBeCloseTo(7.0888, 3);
    for (const step of stepOf([10, 10, 10, 10], true)) expect(step).toBeCloseTo(1, 4);
  });

  it('keeps its direction: a tensor is shortened as one', () => {
    // Steps 7.0888 and 1, of which the root mean square is √((7.0888² + 3) / 4) = 3.6490.
    const [long, short] = stepOf([10, 1, -1, 1], true);
    expect(long).toBeCloseTo(7.0888 / 3.649, 3);
    expect(short).toBeCloseTo(1 / 3.649, 3);
  });

  it('is Adam’s own where gradients are as they were, or smaller', () => {
    expect(stepOf([1, -1, 1, 1], true)).toEqual(stepOf([1, -1, 1, 1], false));
    expect(stepOf([0.5, 0.1, 0, 0], true)).toEqual(stepOf([0.5, 0.1, 0, 0], false));
  });
});
