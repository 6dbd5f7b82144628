/**
 * The same iterations of training taken again: as they are, replayed, or gone on with from what was read. All have
 * to end with the same bits.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Dataset } from '@killme/data';
import type { Preset } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { disposeGan, type Gan, initializeGan } from '../gan/gan.ts';
import { stateSlots } from '../gan/gan-state.ts';
import { createIterations, type LaunchedIteration } from '../train/iteration.ts';

export interface TrainedNumbers {
  /** Of all iterations, in order. */
  losses: number[];
  /** SHA-256 of the bytes of all weights, moments and the EMA. */
  state: string;
}

export interface RepeatOptions {
  preset: Preset;
  dataset: Dataset;
  batch: number;
  iterations: number;
  replay: boolean;
  log?: ((line: string) => void) | undefined;
  /** The iteration before which all is read and begun again from what was read. */
  resumeAt?: number | undefined;
  /** Called after an iteration has been given to the engine, with those before it. */
  after?: ((gan: Gan, iteration: number) => Promise<void>) | undefined;
}

/** Trains from the weights of seed 0. */
export async function repeatSteps({
  preset,
  dataset,
  batch,
  iterations: count,
  replay,
  log = () => {},
  resumeAt,
  after,
}: RepeatOptions): Promise<TrainedNumbers> {
  let gan = initializeGan(preset, 0);
  const options = { seed: 0, batch, replay };
  const start = () => createIterations({ gan, preset, dataset, options, log });
  let iterations = start();
  const losses: number[] = [];
  const launched: LaunchedIteration[] = [];
  const settle = async (waiting: number) => {
    while (launched.length > waiting) {
      losses.push(...(Object.values(await launched.shift()!.readLosses()) as number[]));
    }
  };
  for (let i = 0; i < count; i++) {
    if (i === resumeAt) {
      await settle(0);
      iterations.dispose();
      gan = await copyGan(gan, preset);
      iterations = start();
    }
    launched.push(iterations.launch(i));
    await settle(iterations.lag);
    await after?.(gan, i);
  }
  await settle(0);
  iterations.dispose();
  const state = await hashState(gan);
  disposeGan(gan);
  return { losses, state };
}

async function hashState(gan: Gan): Promise<string> {
  const hash = createHash('sha256');
  for (const values of await readState(gan)) hash.update(values);
  return hash.digest('hex');
}

/** All at once: a read of a GPU takes 10 ms under Deno, however many others there are. */
const readState = (gan: Gan): Promise<Float32Array[]> =>
  Promise.all(stateSlots(gan).map((slot) => slot.read().data<'float32'>()));

/** The numbers of a GAN in new tensors, as a checkpoint restores them; the old ones are disposed of. */
async function copyGan(gan: Gan, preset: Preset): Promise<Gan> {
  const copy = initializeGan(preset, 1);
  const values = await readState(gan);
  const slots = stateSlots(gan);
  for (const [i, slot] of stateSlots(copy).entries()) {
    const tensor = slots[i]!.read();
    slot.read().dispose();
    slot.write(tf.tensor(values[i]!, tensor.shape));
    tensor.dispose();
  }
  for (const name of ['generator', 'discriminator', 'encoder'] as const) {
    const state = copy[name];
    if (state) state.steps = gan[name]!.steps;
  }
  return copy;
}
