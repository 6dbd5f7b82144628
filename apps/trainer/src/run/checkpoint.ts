/**
 * Checkpoints: all that a run needs to go on.
 *
 * No state of a random generator is kept: random numbers are named by seed, purpose and iteration.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { link, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileWhole } from '@killme/command-line';
import { type Network, UserError, type WeightSpec } from '@killme/model';
import type { Preset } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { Gan } from '../gan/gan.ts';
import { type NetworkState, trainableSpecs } from '../gan/network-state.ts';
import {
  type Checkpoint,
  decodeCheckpoint,
  EMA,
  encodeCheckpoint,
  type TrainedSoFar,
} from './checkpoint-file.ts';

export type { Checkpoint, TrainedSoFar } from './checkpoint-file.ts';

/** How many checkpoints a run keeps: the newest, and one to fall back on. */
const KEPT = 2;

/** The checkpoint whose images were the best so far. */
const BEST = 'best.safetensors';

/**
 * Writes `checkpoint-<iteration>.safetensors`, then removes all but the newest {@link KEPT}.
 * @throws UserError when a number is not finite, or the disk has no room; nothing is written then.
 */
export async function saveCheckpoint(
  folder: string,
  trained: TrainedSoFar,
  gan: Gan,
): Promise<string> {
  const file = join(folder, `checkpoint-${String(trained.iteration).padStart(7, '0')}.safetensors`);
  await writeCheckpoint(file, await encodeCheckpoint(trained, gan));
  const old = (await listCheckpoints(folder)).slice(KEPT);
  for (const checkpoint of old) await rm(join(folder, checkpoint));
  return file;
}

/**
 * Writes `best.safetensors`, which replaces the best one before.
 * @param data a checkpoint by `encodeCheckpoint`
 * @throws UserError when the disk has no room; nothing is written then.
 */
export function saveBestCheckpoint(folder: string, data: Uint8Array): Promise<void> {
  return writeCheckpoint(join(folder, BEST), data);
}

async function writeCheckpoint(file: string, data: Uint8Array): Promise<void> {
  const folder = dirname(file);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < data.byteLength) {
    throw new UserError(
      `the disk is nearly full: a checkpoint takes ${Math.ceil(data.byteLength / 2 ** 20)} MiB, ` +
        `${folder} has ${Math.floor((bavail * bsize) / 2 ** 20)} MiB left`,
    );
  }
  await writeFileWhole(file, data);
}

/** Keeps the newest checkpoint but one, the last before what has just been seen, under a name that is never removed. */
export async function keepCheckpoint(folder: string, name: string): Promise<void> {
  const [newest, previous] = await listCheckpoints(folder);
  const kept = previous ?? newest;
  const target = join(folder, `${name}.safetensors`);
  await rm(target, { force: true });
  if (kept) await link(join(folder, kept), target);
}

/** The checkpoints of a folder, newest first. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^checkpoint-\d{7}\.safetensors$/.test(name))
    .sort()
    .reverse();
}

/**
 * Reads the newest checkpoint that is whole.
 * @param warn is called with a damaged one that is passed over.
 * @returns undefined when there is none.
 */
export async function readNewestCheckpoint(
  folder: string,
  warn: (line: string) => void,
): Promise<Checkpoint | undefined> {
  return readFirst(folder, await listCheckpoints(folder), warn);
}

/** Which checkpoint of a run: the best one, where its images were measured, or the newest. */
export const CHECKPOINT_CHOICES = ['best', 'newest'] as const;
export type CheckpointChoice = (typeof CHECKPOINT_CHOICES)[number];

/** Like {@link readNewestCheckpoint}; `best` is the newest where there is no best one. */
export async function readCheckpoint(
  folder: string,
  choice: CheckpointChoice,
  warn: (line: string) => void,
): Promise<Checkpoint | undefined> {
  const hasBest = choice === 'best' && existsSync(join(folder, BEST));
  const names = await listCheckpoints(folder);
  return readFirst(folder, hasBest ? [BEST, ...names] : names, warn);
}

/** The first of the files that is whole. */
async function readFirst(
  folder: string,
  names: readonly string[],
  warn: (line: string) => void,
): Promise<Checkpoint | undefined> {
  for (const name of names) {
    try {
      return decodeCheckpoint(await readFile(join(folder, name)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      warn(`${name} is passed over: ${error.message}`);
    }
  }
  return undefined;
}

/**
 * The weights of one network in a checkpoint, by weight name.
 * @throws UserError when the checkpoint is of another network.
 */
export function checkpointWeights(
  checkpoint: Checkpoint,
  network: Network,
): Map<string, Float32Array> {
  return readTensors(checkpoint, network, '');
}

/** The generator that is exported: the EMA of its weights where the run keeps one. */
export function checkpointGenerator(
  checkpoint: Checkpoint,
  network: Network,
): Map<string, Float32Array> {
  const averaged = [...checkpoint.tensors.keys()].some((name) => name.includes(`/${EMA}`));
  return readTensors(checkpoint, network, averaged ? EMA : '');
}

function readTensors(checkpoint: Checkpoint, network: Network, folder: string) {
  return new Map(
    network.weights.map(({ name, shape }) => [
      name,
      tensorOf(checkpoint, `${network.name}/${folder}${name}`, shape),
    ]),
  );
}

/**
 * The GAN that a checkpoint holds.
 * @param networks those of the run, whether it keeps an EMA of G, and how its D begins: a D that has
 * not taken a step is nothing that the run has learnt, and may be another one
 * @throws UserError when the checkpoint is of other networks.
 */
export function restoreGan(
  checkpoint: Checkpoint,
  networks: Pick<Preset, 'generator' | 'discriminator' | 'encoder'> & {
    hasEma: boolean;
    beginDiscriminator: () => NetworkState;
  },
): Gan {
  const { generator, discriminator, encoder, hasEma, beginDiscriminator } = networks;
  return {
    generator: restoreNetwork(checkpoint, generator, checkpoint.generatorSteps),
    discriminator:
      checkpoint.discriminatorSteps > 0
        ? restoreNetwork(checkpoint, discriminator, checkpoint.discriminatorSteps)
        : beginDiscriminator(),
    // While it learns, it takes its steps with G; behind a mapping network it has learned.
    encoder: encoder && restoreNetwork(checkpoint, encoder, checkpoint.generatorSteps),
    ema: hasEma
      ? new Map(generator.weights.map((spec) => upload(checkpoint, generator, EMA, spec)))
      : undefined,
  };
}

function restoreNetwork(checkpoint: Checkpoint, network: Network, steps: number): NetworkState {
  const read = (folder: string, spec: WeightSpec) => upload(checkpoint, network, folder, spec);
  return {
    network,
    weights: new Map(network.weights.map((spec) => read('', spec))),
    moments: new Map(
      trainableSpecs(network).map((spec) => [
        spec.name,
        { first: read('adam/first/', spec)[1], second: read('adam/second/', spec)[1] },
      ]),
    ),
    steps,
  };
}

function upload(
  checkpoint: Checkpoint,
  network: Network,
  folder: string,
  { name, shape }: WeightSpec,
): [name: string, tensor: tf.Tensor] {
  const values = tensorOf(checkpoint, `${network.name}/${folder}${name}`, shape);
  return [name, tf.tensor(values, [...shape])];
}

function tensorOf({ tensors }: Checkpoint, name: string, shape: readonly number[]): Float32Array {
  const tensor = tensors.get(name);
  if (tensor?.shape.join() === shape.join()) return tensor.values;
  throw new UserError(
    `the checkpoint is of other networks: it has no ${name} of [${shape}]. ` +
      'An older version made it, or its run has other methods: start another run by --name',
  );
}
