/**
 * The generator file: one folder that travels from the trainer to the edge.
 *
 * `generator.json` (the manifest) says what the generator is and lists its weights; the numbers lie
 * in shards, `weights-0.bin`, `weights-1.bin`, …, each at most 20 MiB (a Workers static asset may
 * have 25). Put end to end the shards are one stream of bytes, little-endian, in which each tensor
 * has an offset that is a multiple of 4; a tensor may cross shards. docs/generator-file.md has the
 * whole of it.
 *
 * @module
 */
import * as z from 'zod';
import { TANH_RANGE, type ValueRange } from '../image.ts';
import type { Direction } from '../latents/directions.ts';
import type { LatentSpace } from '../latents/latent.ts';
import { decodeLatent, encodeLatent } from '../latents/latent-text.ts';
import { product } from '../networks/layers.ts';
import type { Network } from '../networks/network.ts';
import { UserError } from '../user-error.ts';
import { layerEntries, layerSchema, networkOf } from './layer-schema.ts';
import { cutShards } from './shards.ts';
import {
  type Encoding,
  encodeWeight,
  type HostWeight,
  type HostWeights,
  hostRoom,
  type Room,
} from './weights.ts';

export const GENERATOR_MANIFEST = 'generator.json';

/** What is written and read. */
const FORMAT_VERSION = 5;

/** A generator file names no more. */
export const MOST_DIRECTIONS = 64;

const size = z.number().int().positive();
const tensorSchema = z.strictObject({
  name: z.string(),
  shape: z.array(size),
  encoding: z.enum(['float32', 'float16', 'int8']),
  offset: z.number().int().nonnegative().multipleOf(4),
  scalesOffset: z.number().int().nonnegative().multipleOf(4).optional(),
});

const directionSchema = z.strictObject({
  name: z.string().min(1).max(256),
  kind: z.enum(['factor', 'class']),
  vector: z.string(),
});

const manifestSchema = z.strictObject({
  format: z.literal('killme-generator'),
  version: z.literal(FORMAT_VERSION),
  preset: z.string(),
  latent: z.strictObject({
    size,
    distribution: z.enum(['uniform', 'uniform01', 'normal']),
    mean: z.number().optional(),
    deviation: z.number().positive().optional(),
    classes: z.array(size).min(2).optional(),
  }),
  image: z.strictObject({
    width: size,
    height: size,
    channels: z.literal([1, 3, 4]),
    range: z
      .tuple([z.number(), z.number()])
      .refine(([low, high]) => low < high, 'must be [low, high] with low < high')
      .default([...TANH_RANGE]),
  }),
  classes: z.array(z.string()),
  directions: z.array(directionSchema).max(MOST_DIRECTIONS).default([]),
  // What is not known of a generator from elsewhere is omitted.
  training: z.strictObject({
    dataset: z.string(),
    images: size.optional(),
    iterations: z.number().int().nonnegative().optional(),
    batchSize: size.optional(),
    seed: z.number().int().optional(),
    engine: z.string(),
    note: z.string().optional(),
  }),
  arithmetic: z.enum(['float32', 'integer']).default('float32'),
  layers: z.array(layerSchema),
  tensors: z.array(tensorSchema),
  shards: z.array(
    z.strictObject({
      file: z.string().regex(/^[\w-]+\.bin$/, 'must be a plain .bin file name beside the manifest'),
      bytes: size,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/** As it lies in the file: {@link sealManifest}. */
const sealedSchema = manifestSchema.extend({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export type GeneratorManifest = z.infer<typeof manifestSchema>;
type TensorEntry = GeneratorManifest['tensors'][number];

/** What the writer cannot work out by itself. */
export interface GeneratorFacts {
  preset: string;
  latent: LatentSpace;
  classes: readonly string[];
  training: GeneratorManifest['training'];
  /** What black and white are in the generator's output; [-1, 1] when omitted. */
  range?: ValueRange;
  /** With names that differ; none when omitted. */
  directions?: readonly Direction[];
}

/** What a generator file says of itself, without its weights. */
export interface GeneratorDescription {
  manifest: GeneratorManifest;
  /** sha256 (hex) of the manifest, which holds the hashes of the shards: it names the whole file. */
  hash: string;
}

/** A generator file in memory, checked. */
export interface GeneratorFile extends GeneratorDescription {
  network: Network;
  weights: HostWeights;
}

/**
 * Packs a generator. Kernels take the encoding; vectors (biases, normalization) stay float32.
 * With int8 kernels, convolutions are computed in integers: what rounds the activations costs less
 * than what has rounded the kernels, and a picture takes two thirds of the time.
 * @param options.weights float32 numbers of every weight of `network`, by name
 * @returns the files of the folder, by name.
 */
export async function packGenerator({
  network,
  weights,
  encoding,
  facts,
}: {
  network: Network;
  weights: ReadonlyMap<string, Float32Array>;
  encoding: Encoding;
  facts: GeneratorFacts;
}): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const tensors: TensorEntry[] = [];
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const append = (values: ArrayBufferView): number => {
    const start = offset;
    const padding = (4 - (values.byteLength % 4)) % 4;
    chunks.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    chunks.push(new Uint8Array(padding));
    offset += values.byteLength + padding;
    return start;
  };
  for (const { name, shape } of network.weights) {
    const values = weights.get(name);
    if (values?.length !== product(shape))
      throw new Error(`the weight ${name} is missing or short`);
    const weight = encodeWeight(values, shape, shape.length > 1 ? encoding : 'float32');
    const entry = {
      name,
      shape: [...shape],
      encoding: weight.encoding,
      offset: append(weight.values),
    };
    const scales = weight.encoding === 'int8' ? { scalesOffset: append(weight.scales) } : {};
    tensors.push({ ...entry, ...scales });
  }
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const shards: GeneratorManifest['shards'] = [];
  for (const [index, bytes] of cutShards(chunks).entries()) {
    const file = `weights-${index}.bin`;
    files.set(file, bytes);
    shards.push({ file, bytes: bytes.byteLength, sha256: await sha256(bytes) });
  }
  const [height, width, channels] = network.outputShape;
  const manifest = manifestSchema.parse({
    format: 'killme-generator',
    version: FORMAT_VERSION,
    preset: facts.preset,
    latent: facts.latent,
    image: { width, height, channels, range: facts.range ?? TANH_RANGE },
    classes: facts.classes,
    directions: (facts.directions ?? []).map(writeDirection),
    training: facts.training,
    arithmetic: encoding === 'int8' ? 'integer' : 'float32',
    layers: layerEntries(network),
    tensors,
    shards,
  });
  return files.set(GENERATOR_MANIFEST, await sealManifest(manifest));
}

/** The bytes of a manifest whose directions are others; nothing else of the generator changes. */
export async function withDirections(
  manifest: GeneratorManifest,
  directions: readonly Direction[],
): Promise<Uint8Array<ArrayBuffer>> {
  return sealManifest(
    manifestSchema.parse({
      ...manifest,
      version: FORMAT_VERSION,
      directions: directions.map(writeDirection),
    }),
  );
}

/** The directions that a manifest names. */
export function readDirections({ directions, latent }: GeneratorManifest): Direction[] {
  return directions.map((direction) => ({
    ...direction,
    vector: decodeLatent(direction.vector, latent),
  }));
}

const writeDirection = ({ name, kind, vector }: Direction) => ({
  name,
  kind,
  vector: encodeLatent(vector),
});

/** Stands in the manifest's own place while its hash is computed. */
const NO_HASH = '0'.repeat(64);

/**
 * The bytes of a manifest. Its last key, `sha256`, is the hash of the whole file with
 * {@link NO_HASH} in its own place, so that no bit of the file can change unseen.
 */
export async function sealManifest(manifest: GeneratorManifest): Promise<Uint8Array<ArrayBuffer>> {
  const text = `${JSON.stringify({ ...manifest, sha256: NO_HASH }, null, 1)}\n`;
  return encodeText(replaceLast(text, NO_HASH, await sha256(encodeText(text))));
}

/** @throws UserError when the file is not what was sealed. */
async function verifySeal(bytes: Uint8Array<ArrayBuffer>, hash: string): Promise<void> {
  const text = replaceLast(new TextDecoder().decode(bytes), hash, NO_HASH);
  if ((await sha256(encodeText(text))) === hash) return;
  throw new UserError(
    `${GENERATOR_MANIFEST} is damaged (its sha256 is not the one it names): export or copy the generator again`,
  );
}

function replaceLast(text: string, old: string, replacement: string): string {
  const at = text.lastIndexOf(old);
  return text.slice(0, at) + replacement + text.slice(at + old.length);
}

const encodeText = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/**
 * Reads and checks the manifest alone.
 * @param readFile gives the bytes of a file of the folder by name.
 * @throws UserError in one line: not a generator file, or a version from the future.
 */
export async function readGeneratorManifest(
  readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<GeneratorDescription> {
  const bytes = await readFile(GENERATOR_MANIFEST);
  const { sha256: seal, ...manifest } = parseManifest(bytes);
  await verifySeal(bytes, seal);
  return { manifest, hash: await sha256(bytes) };
}

/**
 * Hands the bytes of a file to `take`, piece by piece in their order; a piece is used up when `take`
 * returns.
 * @returns sha256 of all of them.
 */
export type ReadShard = (
  name: string,
  take: (piece: Uint8Array) => void,
) => Promise<Uint8Array | ArrayBuffer>;

/** How a generator file is read by those who can do more than read a file whole. */
export interface GeneratorFileOptions {
  /** Whole shards are read when omitted. */
  readShard?: ReadShard | undefined;
  /** Room for the first layer's kernel, which inference multiplies as it is stored; an array when omitted. */
  kernelRoom?: ((bytes: number) => Room) | undefined;
}

/**
 * Reads and checks a generator file. Its bytes go straight to the tensors that they belong to, so
 * that no more than a piece of a shard lies in memory twice.
 * @param readFile gives the bytes of a file of the folder by name.
 * @throws UserError in one line: not a generator file, a version from the future, damaged, cut short,
 *   with numbers that are not finite.
 */
export async function loadGeneratorFile(
  readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
  { readShard = wholeShards(readFile), kernelRoom = hostRoom }: GeneratorFileOptions = {},
): Promise<GeneratorFile> {
  const { manifest, hash } = await readGeneratorManifest(readFile);
  const network = networkOf(manifest.layers, {
    latentSize: manifest.latent.size,
    file: GENERATOR_MANIFEST,
  });
  checkTensors(manifest, network);
  // Of a first Dense layer, which is multiplied as it is stored.
  const [first] = network.layers;
  const kernel = first?.layer.type === 'dense' ? first.weights[0]?.name : undefined;
  const weights = allocate(manifest, (name) => (name === kernel ? kernelRoom : hostRoom));
  let start = 0;
  for (const shard of manifest.shards) {
    let read = 0;
    const digest = await readShard(shard.file, (piece) => {
      for (const target of weights.targets) copyOverlap(piece, start + read, target);
      read += piece.length;
    });
    if (read !== shard.bytes || hex(digest) !== shard.sha256) {
      throw new UserError(
        `${shard.file} is damaged (its sha256 or length is not the one in ${GENERATOR_MANIFEST}): ` +
          'export or copy the generator again',
      );
    }
    start += read;
  }
  checkNumbers(weights.byName);
  return { manifest, hash, network, weights: weights.byName };
}

const wholeShards =
  (readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>): ReadShard =>
  async (name, take) => {
    const bytes = await readFile(name);
    take(bytes);
    return crypto.subtle.digest('SHA-256', bytes);
  };

/** A network that has diverged draws nothing; kernels that turn NaN into 0 would hide it. */
function checkNumbers(weights: HostWeights): void {
  for (const [name, weight] of weights) {
    const numbers = weight.encoding === 'int8' ? weight.scales : weight.values;
    const finite =
      weight.encoding === 'float16'
        ? numbers.every((bits) => (bits & 0x7c00) !== 0x7c00)
        : numbers.every(Number.isFinite);
    if (!finite) {
      throw new UserError(
        `the weight ${name} has numbers that are not finite: export a generator from before its training diverged`,
      );
    }
    const isVariance = name.endsWith('/moving_variance');
    if (isVariance && weight.encoding === 'float32' && weight.values.some((value) => value < 0)) {
      throw new UserError(`the weight ${name} has a negative variance, which has no root`);
    }
  }
}

function parseManifest(bytes: Uint8Array): z.infer<typeof sealedSchema> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new UserError(`${GENERATOR_MANIFEST} is not JSON: export or copy the generator again`);
  }
  const head = z
    .object({ format: z.literal('killme-generator'), version: z.number() })
    .safeParse(json);
  if (!head.success) {
    throw new UserError(`${GENERATOR_MANIFEST} is not a killme-generator manifest`);
  }
  if (head.data.version !== FORMAT_VERSION) {
    throw new UserError(
      `${GENERATOR_MANIFEST} has format version ${head.data.version}, this program reads version ` +
        `${FORMAT_VERSION}: ${head.data.version > FORMAT_VERSION ? 'update it' : 'export the generator again'}`,
    );
  }
  const parsed = sealedSchema.safeParse(json);
  if (parsed.success) {
    checkClasses(parsed.data);
    checkDirections(parsed.data);
    return parsed.data;
  }
  const issue = parsed.error.issues[0]!;
  throw new UserError(`${GENERATOR_MANIFEST}: ${issue.path.join('.')}: ${issue.message}`);
}

function checkClasses({ classes, latent }: GeneratorManifest): void {
  const told = latent.classes?.length ?? 0;
  if (told === 0 || (told === classes.length && told < latent.size)) return;
  throw new UserError(
    `${GENERATOR_MANIFEST}: its latents of ${latent.size} numbers say one of ${told} classes, but it ` +
      `names ${classes.length}`,
  );
}

function checkDirections({ directions, latent }: GeneratorManifest): void {
  const names = new Set<string>();
  for (const { name, vector } of directions) {
    const place = `${GENERATOR_MANIFEST}: the direction "${name}"`;
    if (names.has(name)) throw new UserError(`${place} comes twice`);
    names.add(name);
    try {
      decodeLatent(vector, latent);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${place} has a vector that ${error.message}`);
    }
  }
}

function checkTensors({ tensors, shards, image }: GeneratorManifest, network: Network): void {
  const total = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  checkNames(tensors, network);
  checkOverlap(tensors);
  for (const { name, shape } of network.weights) {
    const tensor = byName.get(name);
    if (!tensor) throw new UserError(`${GENERATOR_MANIFEST}: the weight ${name} is missing`);
    if (tensor.shape.join() !== shape.join()) {
      throw new UserError(
        `${GENERATOR_MANIFEST}: the weight ${name} has shape [${tensor.shape}], its layer takes [${shape}]`,
      );
    }
    if (tensor.encoding === 'int8' && tensor.scalesOffset === undefined) {
      throw new UserError(`${GENERATOR_MANIFEST}: the int8 weight ${name} has no scalesOffset`);
    }
    const scalesEnd = (tensor.scalesOffset ?? 0) + 4 * shape.at(-1)!;
    const end = tensor.offset + product(shape) * BYTES[tensor.encoding];
    if (Math.max(end, tensor.encoding === 'int8' ? scalesEnd : 0) > total) {
      throw new UserError(`${GENERATOR_MANIFEST}: the weight ${name} lies beyond the shards`);
    }
  }
  const [height, width, channels] = network.outputShape;
  if (height !== image.height || width !== image.width || channels !== image.channels) {
    throw new UserError(
      `${GENERATOR_MANIFEST}: the layers make [${network.outputShape}], not the image it describes`,
    );
  }
}

/** Every tensor belongs to a weight, and to one only. */
function checkNames(tensors: readonly TensorEntry[], network: Network): void {
  const known = new Set(network.weights.map(({ name }) => name));
  for (const { name } of tensors) {
    if (!known.delete(name)) {
      throw new UserError(
        `${GENERATOR_MANIFEST}: the tensor ${name} is there twice, or no layer has such a weight`,
      );
    }
  }
}

/** No two tensors share a byte. */
function checkOverlap(tensors: readonly TensorEntry[]): void {
  const ranges = tensors
    .flatMap(({ name, shape, encoding, offset, scalesOffset }) => [
      { name, start: offset, end: offset + product(shape) * BYTES[encoding] },
      ...(scalesOffset === undefined
        ? []
        : [{ name, start: scalesOffset, end: scalesOffset + 4 * (shape.at(-1) ?? 1) }]),
    ])
    .sort((a, b) => a.start - b.start);
  for (const [i, { name, end }] of ranges.entries()) {
    const next = ranges[i + 1];
    if (next !== undefined && next.start < end) {
      throw new UserError(`${GENERATOR_MANIFEST}: the tensors ${name} and ${next.name} overlap`);
    }
  }
}

const BYTES: Record<Encoding, number> = { float32: 4, float16: 2, int8: 1 };

/** Where the bytes from `offset` of the stream on belong. */
interface Target {
  offset: number;
  bytes: number;
  room: Room;
}

function allocate(
  { tensors }: GeneratorManifest,
  roomOf: (name: string) => (bytes: number) => Room,
) {
  const byName = new Map<string, HostWeight>();
  const targets: Target[] = [];
  for (const { name, shape, encoding, offset, scalesOffset } of tensors) {
    const length = product(shape);
    const bytes = length * BYTES[encoding];
    const room = roomOf(name)(bytes);
    targets.push({ offset, bytes, room });
    // Asked for anew each time, because the room may move.
    switch (encoding) {
      case 'float32':
        byName.set(name, {
          ...{ encoding, shape },
          get values() {
            return new Float32Array(room.buffer, room.address, length);
          },
        });
        break;
      case 'float16':
        byName.set(name, {
          ...{ encoding, shape },
          get values() {
            return new Uint16Array(room.buffer, room.address, length);
          },
        });
        break;
      case 'int8': {
        const scales = new Float32Array(shape.at(-1)!);
        targets.push({
          offset: scalesOffset ?? 0,
          bytes: scales.byteLength,
          room: { buffer: scales.buffer, address: 0 },
        });
        byName.set(name, {
          ...{ encoding, shape, scales },
          get values() {
            return new Int8Array(room.buffer, room.address, length);
          },
        });
      }
    }
  }
  return { byName, targets };
}

/** Copies the part of `piece` (which begins at `start` of the stream) that belongs to a target. */
function copyOverlap(piece: Uint8Array, start: number, { offset, bytes, room }: Target): void {
  const from = Math.max(start, offset);
  const to = Math.min(start + piece.length, offset + bytes);
  if (from >= to) return;
  const target = new Uint8Array(room.buffer, room.address, bytes);
  target.set(piece.subarray(from - start, to - start), from - offset);
}

/** sha256 as hex, from the Web Crypto that every runtime has. */
const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  hex(await crypto.subtle.digest('SHA-256', bytes));

const hex = (bytes: Uint8Array | ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
