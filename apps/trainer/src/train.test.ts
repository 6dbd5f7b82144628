import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { encode } from 'fast-png';
import { afterAll, expect, it, vi } from 'vitest';
import { readNewestCheckpoint } from './checkpoint.ts';
import { readMetrics } from './metrics.ts';
import { runFolder } from './run-folder.ts';
import { startEngine } from './start-engine.ts';
import { train } from './train.ts';

const data = await mkdtemp(join(tmpdir(), 'killme-train-'));
const run = runFolder(`train-test-${process.pid}`);
afterAll(async () => {
  await rm(data, { recursive: true, force: true });
  await rm(run.root, { recursive: true, force: true });
});

it('ends when its CPU seconds are spent, with a checkpoint, and leaves nothing on the engine', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  for (const level of [0, 255]) {
    const pixels = new Uint8Array(128 * 128 * 3).fill(level);
    const png = encode({ width: 128, height: 128, data: pixels, channels: 3, depth: 8 });
    await writeFile(join(data, `${level}.png`), png);
  }
  await startEngine('wasm', () => {});
  const before = tf.memory().numTensors;
  // A second passes whenever somebody asks, so that the test does not depend on the machine.
  let seconds = 0;
  const budget = { total: 5, spent: () => seconds++ };
  await train(
    { preset: 'lite', name: run.name, data, batch: 2, backend: 'wasm', iterations: 1000 },
    { resume: false, signal: new AbortController().signal, budget },
  );
  expect(tf.memory().numTensors).toBe(before);
  const { length } = (await readMetrics(run.metrics)).realAccuracy;
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(5);
  const checkpoint = await readNewestCheckpoint(run.checkpoints, console.warn);
  expect(checkpoint?.iteration).toBe(length);
});
