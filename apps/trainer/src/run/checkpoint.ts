/**
 * Checkpoints: all that a run needs to go on, in one file of the safetensors format (a JSON header,
 * then raw little-endian numbers), which other tools can open too. A checksum covers every bit of it.
 *
 * No state of a random generator is kept: random numbers are named by seed, purpose and iteration.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileWhole } from '@killme/command-line';
import { type Network, product, UserError, type WeightSpec } from '@killme/model';
import type { Preset } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Gan } from '../gan/gan.ts';
import { type NetworkState, trainableSpecs } from '../gan/network-state.ts';
import { divergence } from './health.ts';

/** How many checkpoints a run keeps: the newest, and one to fall back on. */
const KEPT = 2;

/** The checkpoint whose images were the best so far. */
const BEST = 'best.safetensors';

/** Where the EMA of a network's weights lies in a checkpoint. */
const EMA = 'ema/';

const FORMAT = 'killme-checkpoint-2';

/** Stands in the file's own place while its checksum is computed. */
const NO_CHECKSUM = '0'.repeat(64);

const metadataSchema = z.object({
  format: z.literal(FORMAT),
  /** Of the whole file, with {@link NO_CHECKSUM} in its own place. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  iteration: z.coerce.number().int().nonnegative(),
  generatorSteps: z.coerce.number().int().nonnegative(),
  discriminatorSteps: z.coerce.number().int().nonnegative(),
  cpuSeconds: z.coerce.number().nonnegative().optional(),
});

const headerSchema = z.object({ __metadata__: metadataSchema }).catchall(
  z.object({
    dtype: z.literal('F32'),
    shape: z.array(z.number().int().nonnegative()),
    data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
  }),
);

/** How far a run has come. */
export interface TrainedSoFar {
  iteration: number;
  /** Spent on it by all its processes, where the run has a budget of them. */
  cpuSeconds?: number | undefined;
}

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
  await writeCheckpoint(file, trained, gan);
  const old = (await listCheckpoints(folder)).slice(KEPT);
  for (const checkpoint of old) await rm(join(folder, checkpoint));
  return file;
}

/** Writes `best.safetensors`, which replaces the best one before; throws as {@link saveCheckpoint} does. */
export function saveBestCheckpoint(folder: string, trained: TrainedSoFar, gan: Gan): Promise<void> {
  return writeCheckpoint(join(folder, BEST), trained, gan);
}

async function writeCheckpoint(file: string, trained: TrainedSoFar, gan: Gan): Promise<void> {
  const folder = dirname(file);
  const data = await encode(trained, gan);
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

/** A checkpoint read from disk: numbers on the host, by name (`generator/conv2d/kernel`). */
export interface Checkpoint extends TrainedSoFar {
  generatorSteps: number;
  discriminatorSteps: number;
  tensors: ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>;
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
      return decode(await readFile(join(folder, name)));
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
    // It takes its steps with G.
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

async function encode(
  { iteration, cpuSeconds }: TrainedSoFar,
  { generator, discriminator, encoder, ema }: Gan,
): Promise<Uint8Array> {
  const tensors = [
    ...tensorsOf(generator),
    ...tensorsOf(discriminator),
    ...(encoder ? tensorsOf(encoder) : []),
    ...prefixed(`${generator.network.name}/${EMA}`, ema ?? []),
  ];
  let offset = 0;
  const entries = tensors.map(([name, tensor]) => {
    const start = offset;
    offset += tensor.size * 4;
    return [name, { dtype: 'F32', shape: tensor.shape, data_offsets: [start, offset] }];
  });
  const metadata = {
    format: FORMAT,
    sha256: NO_CHECKSUM,
    iteration: String(iteration),
    generatorSteps: String(generator.steps),
    discriminatorSteps: String(discriminator.steps),
    ...(cpuSeconds === undefined ? {} : { cpuSeconds: String(cpuSeconds) }),
  };
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  // Numbers must start at a multiple of 4, so the header ends with spaces as the format allows.
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const file = Buffer.alloc(8 + header.length + offset);
  file.writeBigUInt64LE(BigInt(header.length));
  header.copy(file, 8);
  let position = 8 + header.length;
  for (const [name, tensor] of tensors) {
    const values = await tensor.data<'float32'>();
    if (!values.every(Number.isFinite)) throw divergence(`${name} is not finite any more`);
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), position);
    position += values.byteLength;
  }
  file.write(checksumOf(file), file.indexOf(NO_CHECKSUM), 'latin1');
  return file;
}

/** @param file with {@link NO_CHECKSUM} in the checksum's place. */
function checksumOf(file: Uint8Array): string {
  return createHash('sha256').update(file).digest('hex');
}

/** @throws UserError when any bit of the file is another one than was written. */
function verify(file: Buffer, sha256: string): void {
  const blank = Buffer.from(file);
  blank.write(NO_CHECKSUM, file.indexOf(sha256), 'latin1');
  if (checksumOf(blank) !== sha256)
    throw new UserError('it is damaged: its checksum does not match');
}

function decode(file: Buffer): Checkpoint {
  const header = readHeader(file);
  const { __metadata__: metadata, ...entries } = header.entries;
  verify(file, metadata.sha256);
  const tensors = Object.entries(entries).map(
    ([
      name,
      {
        shape,
        data_offsets: [start, end],
      },
    ]) => {
      if (end - start !== 4 * product(shape) || header.end + end > file.length) {
        throw new UserError(`it is cut short at ${name}`);
      }
      const bytes = new Uint8Array(file.subarray(header.end + start, header.end + end));
      const values = new Float32Array(bytes.buffer);
      if (!values.every(Number.isFinite)) throw new UserError(`${name} is not finite`);
      return [name, { shape, values }] as const;
    },
  );
  const { format: _, ...trained } = metadata;
  return { ...trained, tensors: new Map(tensors) };
}

function readHeader(file: Buffer): { entries: z.infer<typeof headerSchema>; end: number } {
  const length = file.length >= 8 ? Number(file.readBigUInt64LE()) : Number.POSITIVE_INFINITY;
  if (8 + length > file.length) throw new UserError('it is cut short');
  const json = headerSchema.safeParse(parseJson(file.toString('utf8', 8, 8 + length)));
  if (!json.success) {
    throw new UserError('it is damaged, or no checkpoint of this version of the program');
  }
  return { entries: json.data, end: 8 + length };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type NamedTensor = [name: string, tensor: tf.Tensor];

function tensorsOf({ network: { name: owner }, weights, moments }: NetworkState): NamedTensor[] {
  return [
    ...prefixed(`${owner}/`, weights),
    ...prefixed(
      `${owner}/adam/first/`,
      [...moments].map(([name, { first }]) => [name, first]),
    ),
    ...prefixed(
      `${owner}/adam/second/`,
      [...moments].map(([name, { second }]) => [name, second]),
    ),
  ];
}

function prefixed(prefix: string, entries: Iterable<NamedTensor>): NamedTensor[] {
  return [...entries].map(([name, tensor]) => [prefix + name, tensor]);
}
