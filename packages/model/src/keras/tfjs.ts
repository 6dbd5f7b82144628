/**
 * tfjs layers models: `model.json` with the architecture as Keras 2 describes it, and the weights end
 * to end in files beside it (tfjs's `io/types.ts`: WeightsManifestConfig).
 *
 * @module
 */
import * as z from 'zod';
import { float16Table } from '../float16.ts';
import { product } from '../networks/layers.ts';
import { UserError } from '../user-error.ts';
import type { Hdf5Dataset } from './hdf5.ts';
import { type KerasFile, parseJson, type ReadBeside } from './keras-file.ts';
import type { Owner, StoredWeights } from './stored-weights.ts';

const modelSchema = z.looseObject({ class_name: z.string(), config: z.unknown() });

const specSchema = z.looseObject({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  dtype: z.enum(['float32', 'float16', 'int32', 'uint8', 'bool']),
  quantization: z
    .discriminatedUnion('dtype', [
      z.looseObject({ dtype: z.enum(['uint8', 'uint16']), scale: z.number(), min: z.number() }),
      z.looseObject({ dtype: z.literal('float16') }),
    ])
    .optional(),
});
type WeightSpec = z.infer<typeof specSchema>;

const fileSchema = z.looseObject({
  modelTopology: z.looseObject({
    keras_version: z.string().optional(),
    /** Where the converter puts the model that tfjs puts into the topology itself. */
    model_config: modelSchema.optional(),
  }),
  weightsManifest: z.array(
    z.looseObject({ paths: z.array(z.string()), weights: z.array(specSchema) }),
  ),
});

const BYTES = { float32: 4, float16: 2, int32: 4, uint16: 2, uint8: 1, bool: 1 };

/** Whether the bytes begin as an object in JSON does. */
export function isJson(bytes: Uint8Array): boolean {
  return /^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 64)));
}

/**
 * @param file what the file is called in messages.
 * @throws UserError when it is no layers model, or its weights are not all there.
 */
export async function openTfjsModel(
  bytes: Uint8Array,
  file: string,
  readBeside: ReadBeside | undefined,
): Promise<KerasFile> {
  const { modelTopology: topology, weightsManifest } = parseModel(bytes, file);
  const weights = new Map<string, Hdf5Dataset>();
  for (const { paths, weights: specs } of weightsManifest) {
    const shards = await Promise.all(paths.map((path) => readShard(path, file, readBeside)));
    for (const [name, dataset] of decodeGroup(concatenate(shards), specs, file)) {
      weights.set(name, dataset);
    }
  }
  const version = topology.keras_version ?? 'of unknown version';
  const isTfjs = version.startsWith('tfjs');
  const keras = version.startsWith('3') ? 'keras3' : 'keras2';
  return {
    config: topology.model_config ?? topology,
    framework: isTfjs ? version : `tfjs, of Keras ${version}`,
    dialect: isTfjs ? 'tfjs' : keras,
    findWeights: (owners) => byName(weights, owners, file),
  };
}

function parseModel(bytes: Uint8Array, file: string) {
  const object = parseJson(new TextDecoder().decode(bytes), file);
  if ('format' in object && object.format === 'graph-model') {
    throw new UserError(
      `${file} is a tfjs graph model, a program: import the Keras model that it was converted from, ` +
        'or convert that with --output_format tfjs_layers_model',
    );
  }
  if (!('modelTopology' in object)) {
    const model = modelSchema.safeParse(object);
    throw new UserError(
      model.success
        ? `${file} holds an architecture alone: import its weights, with --config ${file}`
        : `${file} is no model.json of a tfjs layers model`,
    );
  }
  const parsed = fileSchema.safeParse(object);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new UserError(`${file} is not as tfjs writes it: ${path.join('.')}: ${message}`);
}

async function readShard(path: string, file: string, readBeside: ReadBeside | undefined) {
  if (readBeside) return readBeside(path);
  throw new UserError(`${file} has its weights in ${path}, which is not there`);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The weights of one group, which lie end to end. */
function decodeGroup(
  bytes: Uint8Array<ArrayBuffer>,
  specs: readonly WeightSpec[],
  file: string,
): [name: string, Hdf5Dataset][] {
  const lengths = specs.map(
    ({ shape, dtype, quantization }) => product(shape) * BYTES[quantization?.dtype ?? dtype],
  );
  const expected = lengths.reduce((sum, length) => sum + length, 0);
  if (bytes.length !== expected) {
    throw new UserError(
      `the weights beside ${file} have ${bytes.length} bytes, it says ${expected}: copy or ` +
        'download all its files again',
    );
  }
  let offset = 0;
  return specs.map((spec, i) => {
    const part = bytes.slice(offset, offset + lengths[i]!);
    offset += part.length;
    return [spec.name, { shape: spec.shape, values: decode(part.buffer, spec) }];
  });
}

function decode(buffer: ArrayBuffer, { dtype, quantization }: WeightSpec): Float32Array {
  const stored = quantization?.dtype ?? dtype;
  if (quantization && quantization.dtype !== 'float16') {
    const { scale, min } = quantization;
    const values = stored === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer);
    return Float32Array.from(values, (value) => value * scale + min);
  }
  switch (stored) {
    case 'float16': {
      const table = float16Table();
      return Float32Array.from(new Uint16Array(buffer), (bits) => table[bits]!);
    }
    case 'int32':
      return Float32Array.from(new Int32Array(buffer));
    case 'float32':
      return new Float32Array(buffer);
    default:
      return Float32Array.from(new Uint8Array(buffer));
  }
}

/**
 * Weights by their names, `dense/kernel`: the layer, which containers may stand before, and the
 * variable, which the cell of a layer may stand before.
 */
function byName(
  weights: ReadonlyMap<string, Hdf5Dataset>,
  owners: readonly Owner[],
  file: string,
): StoredWeights {
  const layers = new Set(owners.map(({ layer }) => layer.name));
  const named = new Map<string, Hdf5Dataset>();
  for (const [name, dataset] of weights) {
    const parts = name.replace(/:\d+$/, '').split('/');
    const variable = parts.pop()!;
    const layer = parts.findLast((part) => layers.has(part));
    const key = `${layer}/${variable}`;
    if (layer !== undefined && named.has(key))
      throw new UserError(`${file} has two weights that could be ${key}`);
    if (layer !== undefined) named.set(key, dataset);
  }
  return new Map(
    owners.map((owner) => [
      owner,
      owner.variables.map(({ name }) => {
        const dataset = named.get(`${owner.layer.name}/${name}`);
        if (dataset) return dataset;
        throw new UserError(`${file}: the weight ${owner.layer.name}/${name} is missing`);
      }),
    ]),
  );
}
