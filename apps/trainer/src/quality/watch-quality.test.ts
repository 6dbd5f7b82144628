// @module-tag slow
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '@killme/data';
import { articleGenerator, encodeWeight, type HostWeights, TANH_RANGE } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWasm } from '../engines/wasm/wasm.ts';
import { initializeNetwork } from '../gan/network-state.ts';
import { appendQuality, readQuality, startQualityFile } from './quality-file.ts';
import { referenceImages } from './testing/reference.ts';
import { canWatchQuality, watchQuality } from './watch-quality.ts';

const network = articleGenerator({ imageSize: 32, width: 1 / 32, latentSize: 5 });
const latent = { size: 5, distribution: 'uniform' } as const;
let weights: HostWeights;
const generator = () => ({ network, latent, weights, range: TANH_RANGE });

beforeAll(async () => {
  await startWasm();
  const state = initializeNetwork(network, 'a generator');
  weights = new Map(
    network.weights.map(({ name, shape }) => [
      name,
      encodeWeight(state.weights.get(name)!.dataSync() as Float32Array, shape, 'float32'),
    ]),
  );
});

function noise(count: number): Dataset {
  const labels = new Uint16Array(count);
  const set = { ...referenceImages('a', count), labels, classes: ['noise'], omitted: [] };
  return { ...set, name: 'noise', files: [], fingerprint: '00' };
}

describe('quality while a run learns', () => {
  it('is the same whenever it is measured, and leaves nothing in the engine’s memory', async () => {
    const first = await watchQuality(noise(30)).measure(generator());
    expect(first.kernelDistance).toBeGreaterThan(first.kernelDistanceFloor);
    expect(first.coverage).toBeLessThan(first.coverageFloor);
    const watch = watchQuality(noise(30));
    await watch.measure(generator());
    const before = tf.memory().numTensors;
    expect(await watch.measure(generator())).toEqual(first);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is not measured against fewer than 24 images', () => {
    expect([23, 24].map((count) => canWatchQuality({ count }))).toEqual([false, true]);
  });

  it('is kept in a table that a resumed run cuts back to where it begins', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'killme-')), 'quality.csv');
    expect((await readQuality(path)).iteration).toHaveLength(0);
    const scores = await watchQuality(noise(30)).measure(generator());
    await startQualityFile(path, 0);
    for (const iteration of [10, 20, 30]) await appendQuality(path, iteration, scores);
    const whole = readFileSync(path, 'utf8');
    await startQualityFile(path, 20);
    expect([...(await readQuality(path)).iteration]).toEqual([10]);
    for (const iteration of [20, 30]) await appendQuality(path, iteration, scores);
    expect(readFileSync(path, 'utf8')).toBe(whole);
    expect((await readQuality(path)).recall[2]).toBeCloseTo(scores.recall, 6);
  });
});
