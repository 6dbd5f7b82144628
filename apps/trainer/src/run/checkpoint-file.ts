/**
 * The file of a checkpoint, in the safetensors format: a JSON header, then raw little-endian numbers, which
 * other tools can open too. A checksum covers every bit of it.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { product, UserError } from '@killme/model';
import type * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Gan } from '../gan/gan.ts';
import type { NetworkState } from '../gan/network-state.ts';
import { divergence } from './health.ts';

/** Where the EMA of a network's weights lies in a checkpoint. */
export const EMA = 'ema/';

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

/** A checkpoint read from disk: numbers on the host, by name (`generator/conv2d/kernel`). */
export interface Checkpoint extends TrainedSoFar {
  generatorSteps: number;
  discriminatorSteps: number;
  tensors: ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>;
}

/** @throws UserError when a number is not finite. */
export async function encodeCheckpoint(
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
  // All at once: under Deno a read of a GPU takes 10 ms, however many others there are.
  const read = await Promise.all(tensors.map(([, tensor]) => tensor.data<'float32'>()));
  for (const [i, [name]] of tensors.entries()) {
    const values = read[i]!;
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

/** @throws UserError when it is no checkpoint, or damaged. */
export function decodeCheckpoint(file: Buffer): Checkpoint {
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
