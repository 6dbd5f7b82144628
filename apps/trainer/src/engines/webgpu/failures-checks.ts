/**
 * Runs under Deno for failures.test.ts: what comes of work that the adapter cannot take, of too little memory, and of
 * a GPU that is lost while it trains. Prints JSON.
 *
 * @module
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { initializeGan } from '../../gan/gan.ts';
import { readNewestCheckpoint, saveCheckpoint } from '../../run/checkpoint.ts';
import { createIterations } from '../../train/iteration.ts';
import { stepCase } from '../../verify/step-cases.ts';
import { createReplay } from '../replay.ts';
import { startEngine } from '../start.ts';
import type { WebGPUBackend } from './program.ts';

/** What the test reads: the messages of what was thrown. */
export interface FailureChecks {
  limit: string;
  memory: string;
  lost: string;
  /** Of saving what the lost GPU trained; then the checkpoints that there are, and the iteration of the newest. */
  saving: string;
  checkpoints: string[];
  newest: number | undefined;
}

const messageOf = async (run: () => Promise<unknown>): Promise<string> =>
  run().then(
    () => 'nothing was thrown',
    (error: Error) => `${error.constructor.name}: ${error.message}`,
  );

await startEngine('webgpu', () => {});
const { device } = tf.backend() as WebGPUBackend;

/** A step with a tensor of twice what the adapter takes. */
async function takeTooMuch(): Promise<void> {
  const numbers = device.limits.maxStorageBufferBindingSize / 2;
  const replay = createReplay();
  await replay
    .take('too much', {
      state: [],
      keepCounts: () => () => {},
      run: () => {
        const values = tf.tidy(
          () => tf.reshape(tf.sum(tf.square(tf.ones([numbers]))), [1]) as tf.Tensor1D,
        );
        return { names: ['sum'], values };
      },
    })
    .read();
}

const { preset, dataset } = stepCase('article', { narrow: true });
const gan = initializeGan(preset, 0);
const iterations = createIterations({ gan, preset, dataset, options: { seed: 0, batch: 2 } });
const train = (iteration: number) => iterations.launch(iteration).readLosses();
const folder = await mkdtemp(join(tmpdir(), 'killme-'));

const limit = await messageOf(takeTooMuch);
await train(0);
await saveCheckpoint(folder, { iteration: 1 }, gan);
const error = new GPUOutOfMemoryError('Not enough memory left.\nAllocation of 1 GiB');
device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }));
const memory = await messageOf(() => train(1));
device.destroy();
const lost = await messageOf(() => train(2));
const saving = await messageOf(() => saveCheckpoint(folder, { iteration: 2 }, gan));
const newest = await readNewestCheckpoint(folder, () => {});
const checkpoints = await readdir(folder);
await rm(folder, { recursive: true });
const checks: FailureChecks = {
  ...{ limit, memory, lost, saving, checkpoints, newest: newest?.iteration },
};
console.log(JSON.stringify(checks));
process.exit(0);
