import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  articleGenerator,
  createRandom,
  encodeWeight,
  type ImportedGenerator,
  product,
  UserError,
} from '../index.ts';
import { compileGenerator } from '../inference/index.ts';
import { readOnnxGenerator, writeOnnx } from './index.ts';
import { ATTRIBUTE_TYPES, DATA_TYPES, encodeModel } from './messages.ts';

/** Models that PyTorch exported and what onnxruntime makes of them: make_onnx.py. */
const FOLDER = resolve(import.meta.dirname, '../../../../test/reference/onnx');
const bytesOf = (file: string) => new Uint8Array(readFileSync(join(FOLDER, file)));
const reference = JSON.parse(readFileSync(join(FOLDER, 'onnx.json'), 'utf8'));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const read = (file: string, bytes: Uint8Array = bytesOf(file)) =>
  readOnnxGenerator(bytes, { file, readBeside: async (name) => bytesOf(name) });

function rendered(
  { network, weights }: Pick<ImportedGenerator, 'network' | 'weights'>,
  latents: Float32Array,
  count: number,
): Float32Array {
  const stored = network.weights.map(
    ({ name, shape }) => [name, encodeWeight(weights.get(name)!, shape, 'float32')] as const,
  );
  return compileGenerator(network, new Map(stored)).generate(latents, count).dataSync<'float32'>();
}

const largest = (ours: Float32Array, theirs: ArrayLike<number>, step = 1) =>
  Array.from(theirs).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - ours[i * step]!)),
    0,
  );

describe('a generator that PyTorch exported renders here what it renders in onnxruntime:', () => {
  it.each([
    ['the DCGAN tutorial, opset 13', 'tutorial-13.onnx'],
    ['the DCGAN tutorial, opset 20, weights in a file beside it', 'tutorial-dynamo.onnx'],
    ['Linear and Upsample, a shape asked for, opset 17', 'upsampling-17.onnx'],
    ['Linear and Upsample, opset 23', 'upsampling-dynamo.onnx'],
    ['GroupNorm, PixelShuffle, PReLU, GELU, SiLU and sums, opset 17', 'residual-17.onnx'],
    ['GroupNorm, PixelShuffle, PReLU, GELU, SiLU and sums, opset 21', 'residual-dynamo.onnx'],
    ['an Embedding beside the latent, grey, opset 18', 'conditional-18.onnx'],
  ])('%s', async (_, file) => {
    const generator = await read(file);
    const { images, shape, step } = reference.models[file.split('-')[0]!];
    expect(generator.network.outputShape).toEqual(shape);
    const latents = reference.latents.flatMap((latent: number[], i: number) =>
      generator.classes > 0 ? [...latent, ...reference.classes[i]] : latent,
    );
    const ours = rendered(generator, Float32Array.from(latents), reference.latents.length);
    expect(largest(ours, images, step)).toBeLessThan(1e-4);
  });

  it('ranges follow from the last layers', async () => {
    expect((await read('tutorial-13.onnx')).range).toEqual([-1, 1]);
    expect((await read('residual-17.onnx')).range).toEqual([0, 1]);
  });
});

it('what is written as ONNX comes back', async () => {
  const network = articleGenerator({ latentSize: 5, imageSize: 16, width: 1 / 16 });
  const weights = new Map(
    network.weights.map(({ name, shape }) => [
      name,
      createRandom(name)
        .uniform(product(shape))
        .map((value) => (name.endsWith('variance') ? value + 1.1 : value)),
    ]),
  );
  const back = await read('ours.onnx', writeOnnx(network, weights));
  const latents = createRandom('latents').uniform(10);
  const ours = rendered({ network, weights }, latents, 2);
  expect(largest(rendered(back, latents, 2), ours)).toBeLessThan(1e-5);
});

describe('nearest neighbours by whole factors', () => {
  const raw = (values: Float32Array | BigInt64Array) => new Uint8Array(values.buffer);

  /** Two rows of three pixels, the latent, that Resize makes wider. */
  const resized = (coordinates: string, rounding: string | undefined, factor: number) => {
    const attribute = Object.entries({
      mode: 'nearest',
      coordinate_transformation_mode: coordinates,
      ...(rounding ? { nearest_mode: rounding } : {}),
    }).map(([name, value]) => ({
      ...{ name, type: ATTRIBUTE_TYPES.string },
      s: new TextEncoder().encode(value),
    }));
    const shape = BigInt64Array.of(-1n, 1n, 2n, 3n);
    const scales = Float32Array.of(1, 1, 1, factor);
    const node = (op_type: string, input: string[], output: string) => ({
      ...{ op_type, input, output: [output], name: op_type },
      attribute: op_type === 'Resize' ? attribute : [],
    });
    const graph = {
      name: 'rows',
      nodes: [node('Reshape', ['z', 'shape'], 'x'), node('Resize', ['x', '', 'scales'], 'y')],
      initializers: [
        { name: 'shape', dims: [4], data_type: DATA_TYPES.int64, raw_data: raw(shape) },
        { name: 'scales', dims: [4], data_type: DATA_TYPES.float32, raw_data: raw(scales) },
      ],
      input: { name: 'z', shape: ['N', 6] },
      output: { name: 'y', shape: ['N', 1, 2, 3 * factor] },
    };
    return read('rows.onnx', encodeModel(graph, { ir: 8, opset: 17 }) as Uint8Array<ArrayBuffer>);
  };

  // What onnxruntime 1.30 makes of a row [0, 1, 2].
  it.each([
    ['asymmetric', undefined, 2, [0, 0, 1, 1, 2, 2]],
    ['asymmetric', 'floor', 4, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]],
    ['half_pixel', undefined, 4, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]],
    ['pytorch_half_pixel', 'round_prefer_ceil', 2, [0, 0, 1, 1, 2, 2]],
  ] as const)(
    'of %s, %s, by %i are those of onnxruntime',
    async (coordinates, rounding, by, row) => {
      const generator = await resized(coordinates, rounding, by);
      expect([...rendered(generator, Float32Array.of(0, 1, 2, 0, 1, 2), 1)]).toEqual([
        ...row,
        ...row,
      ]);
    },
  );

  it.each([
    ['asymmetric', undefined, 4, [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]],
    ['asymmetric', 'round_prefer_ceil', 2, [0, 1, 1, 2, 2, 2]],
    ['half_pixel', 'floor', 2, [0, 0, 0, 1, 1, 2]],
    ['align_corners', undefined, 4, [0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2]],
  ] as const)(
    'of %s, %s, by %i are refused: they lie elsewhere',
    async (coordinates, rounding, by, row) => {
      expect(row.some((pixel, i) => pixel !== Math.floor(i / by))).toBe(true);
      await expect(resized(coordinates, rounding, by)).rejects.toThrow(
        `nearest neighbours by 1 × ${by} of ${coordinates}, ${rounding ?? 'round_prefer_floor'} is not known`,
      );
    },
  );
});

describe('an ONNX file is refused in one line:', () => {
  const refusal = async (file: string, bytes: Uint8Array) => {
    const error: unknown = await read(file, bytes as Uint8Array<ArrayBuffer>).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  };

  it('no ONNX at all, and one that is cut short', async () => {
    const text = new TextEncoder().encode('not a model');
    expect(await refusal('a.onnx', text)).toMatch(/^a\.onnx is /);
    const short = bytesOf('tutorial-13.onnx').slice(0, 3000);
    expect(await refusal('b.onnx', short)).toBe(
      'b.onnx is damaged, or no ONNX model: export it again',
    );
  });
});
