// @module-tag slow
import { rm } from 'node:fs/promises';
import { GREEN, makeFolder, RED } from '@killme/data/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, expect, it, vi } from 'vitest';
import { startEngine } from '../engines/start.ts';
import { readNewestCheckpoint } from '../run/checkpoint.ts';
import { runFolder } from '../run/folder.ts';
import { readMetrics } from '../run/metrics.ts';
import { train } from './train.ts';

const run = runFolder(`train-test-${process.pid}`);
afterAll(async () => {
  await rm(run.root, { recursive: true, force: true });
});

it('ends when its CPU seconds are spent, with a checkpoint, and leaves nothing on the engine', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const data = await makeFolder({ 'red.png': RED, 'green.png': GREEN });
  await startEngine('wasm', () => {});
  const before = tf.memory().numTensors;
  // A second passes whenever somebody asks, so that the test does not depend on the machine.
  let seconds = 0;
  const budget = { total: 5, spent: () => seconds++ };
  await train(
    { preset: 'lite', name: run.name, data, batch: 2, backend: 'wasm', iterations: 1000 },
    { begin: 'start', signal: new AbortController().signal, budget },
  );
  expect(tf.memory().numTensors).toBe(before);
  expect(log.mock.calls.flat()).toContainEqual(
    'it ends within its warm-up of 10000 iterations: D takes no step (--warm-up gives it a shorter one)',
  );
  const { length } = (await readMetrics(run.metrics)).realAccuracy;
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(5);
  const checkpoint = await readNewestCheckpoint(run.checkpoints, console.warn);
  expect(checkpoint?.iteration).toBe(length);
});
