import { createRandom } from '@killme/model';
import { registerTrainingKernels } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../engines/start.ts';
import type { LatentCloud } from './latent-cloud.ts';
import { learnFlow, solveFlow } from './latent-flow.ts';
import { disposeNetwork } from './network-state.ts';
import { normal } from './normal.ts';

/** Latents of one component in two lumps at ±1, and in a class of its own a third of them at 0; noise of 0.1. */
function lumps(): LatentCloud {
  const count = 3_000;
  const noise = normal(createRandom('noise'), count);
  const labels = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const points = labels.map((label, i) => {
    const middle = label === 1 ? 0 : i % 3 === 1 ? -1 : 1;
    return Float32Array.of(middle + 0.1 * noise[i]!);
  });
  return { points, labels, classes: 2, noise: [0.01] };
}

beforeAll(async () => {
  await startEngine('wasm', () => {});
  registerTrainingKernels('wasm');
});

describe('a flow of latents', () => {
  it('takes random ones to where those of each class lie, equally many to each lump', async () => {
    const cloud = lumps();
    const flow = await learnFlow(cloud, { steps: 120, key: 'test' });
    const before = tf.memory().numTensors;
    const { inputs, moves, count } = await solveFlow(flow, cloud, { key: 'test', count: 1_024 });
    expect(tf.memory().numTensors).toBe(before);
    disposeNetwork(flow);
    const ends = Array.from({ length: count }, (_, i) => ({
      first: inputs[3 * i + 1]! > 0,
      end: inputs[3 * i]! + moves[i]!,
      start: inputs[3 * i]!,
    }));
    const shareOf = (some: typeof ends, is: (of: (typeof ends)[number]) => boolean) =>
      some.filter(is).length / some.length;
    const [first, second] = [true, false].map((label) => ends.filter((way) => way.first === label));
    // Uniform over ±√3: 0.29 of the starts lie within ½ of 0.
    expect(shareOf(first!, ({ start }) => Math.abs(start) < 0.5)).toBeGreaterThan(0.22);
    expect(shareOf(first!, ({ end }) => Math.abs(end) < 0.5)).toBeLessThan(0.1);
    expect(shareOf(first!, ({ end }) => end > 0)).toBeGreaterThan(0.4);
    expect(shareOf(first!, ({ end }) => end > 0)).toBeLessThan(0.6);
    expect(shareOf(second!, ({ end }) => Math.abs(end) < 0.5)).toBeGreaterThan(0.9);
    expect(second!.length / count).toBeCloseTo(1 / 3, 1);
  });
});
