// @module-tag slow
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '@killme/data';
import { articleDiscriminator, articleGenerator } from '@killme/model';
import { type Preset, presetByName } from '@killme/model/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWasm } from '../engines/wasm/wasm.ts';
import { disposeGan, type Gan, initializeGan } from '../gan/gan.ts';
import { watchBest } from '../quality/best.ts';
import { readQuality, startQualityFile } from '../quality/quality-file.ts';
import { referenceImages } from '../quality/testing/reference.ts';
import { startMeasurements } from './measurements.ts';

const size = { imageSize: 32, width: 1 / 32 };
const preset: Preset = {
  ...presetByName('article'),
  latent: { size: 5, distribution: 'uniform' },
  imageSize: 32,
  generator: articleGenerator({ ...size, latentSize: 5 }),
  discriminator: articleDiscriminator(size),
};
const dataset: Dataset = {
  ...{ ...referenceImages('a', 30), classes: ['noise'], labels: new Uint16Array(30) },
  ...{ name: 'noise', files: [], omitted: [], fingerprint: '00' },
};

let root: string;
beforeAll(async () => {
  await startWasm();
  root = await mkdtemp(join(tmpdir(), 'killme-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Other weights, as if it had learnt. */
function learn(gan: Gan, seed: number): void {
  const next = initializeGan(preset, seed);
  for (const name of ['generator', 'discriminator'] as const) {
    [gan[name], next[name]] = [next[name], gan[name]];
  }
  disposeGan(next);
}

/** Measures at the iterations 10, 20 and 30, between which the GAN becomes another; the run ends at 35. */
async function measureRun(beside: boolean) {
  const checkpoints = await mkdtemp(join(root, 'run-'));
  const quality = join(checkpoints, 'quality.csv');
  await startQualityFile(quality, 0);
  const lines: string[] = [];
  const gan = initializeGan(preset, 0);
  const options = { measureEvery: 10, patience: 0, iterations: 35, seed: 0 };
  const best = watchBest(await readQuality(quality), { patience: 0, from: 0 });
  const measurements = startMeasurements(
    { folder: { quality, checkpoints }, preset, dataset, gan, options, beside },
    { best, log: async (line) => void lines.push(line) },
  );
  const kept: number[] = [];
  for (const done of [10, 20, 30, 35]) {
    for (const hook of measurements.hooks) if (hook.isDue(done)) await hook.run(done);
    kept.push(lines.filter((line) => line.includes('rKID')).length);
    learn(gan, done);
  }
  await measurements.dispose();
  disposeGan(gan);
  const [table, checkpoint] = await Promise.all([
    readFile(quality, 'utf8'),
    readFile(join(checkpoints, 'best.safetensors')),
  ]);
  return { kept, table, checkpoint };
}

describe('measurements beside training', () => {
  it('give the table and the best checkpoint of measurements in place, one behind until the run ends', async () => {
    const inPlace = await measureRun(false);
    const beside = await measureRun(true);
    expect(inPlace.kept).toEqual([1, 2, 3, 3]);
    expect(beside.kept).toEqual([0, 1, 2, 3]);
    expect(beside.table).toBe(inPlace.table);
    expect(beside.table.split('\n').filter(Boolean)).toHaveLength(4);
    expect(beside.checkpoint.equals(inPlace.checkpoint)).toBe(true);
  }, 120_000);
});
