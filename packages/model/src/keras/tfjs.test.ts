import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { articleGenerator, createRandom, encodeWeight, product, UserError } from '../index.ts';
import { compileGenerator } from '../inference/index.ts';
import { readKerasGenerator, writeTfjsModel } from './index.ts';

/** Latents, `[2, 6]`. */
const LATENTS = createRandom('latents').uniform(12);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Saved = tf.io.ModelArtifacts & { weightData: ArrayBuffer };

/** What tfjs saves of a model with weights that are no defaults. */
async function save(model: tf.LayersModel): Promise<Saved> {
  model.setWeights(
    model.weights.map(({ name, shape }) => {
      const sizes = shape as number[];
      const values = createRandom(name.replace(/\d+/g, '')).uniform(product(sizes));
      return tf.tensor(/variance/.test(name) ? values.map((v) => v + 1.5) : values, sizes);
    }),
  );
  const saved: tf.io.ModelArtifacts[] = [];
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    saved.push(artifacts);
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await model.save(handler);
  return saved[0] as Saved;
}

/** The files that tfjs writes, its weights cut into shards of 1,000 bytes. */
function filesOf({ modelTopology, weightSpecs, weightData }: Saved): Map<string, Uint8Array> {
  const bytes = new Uint8Array(weightData);
  const count = Math.ceil(bytes.length / 1000);
  const shards = Array.from({ length: count }, (_, i) => [
    `group1-shard${i + 1}of${count}.bin`,
    bytes.subarray(1000 * i, 1000 * (i + 1)),
  ]) as [string, Uint8Array][];
  const weightsManifest = [{ paths: shards.map(([name]) => name), weights: weightSpecs }];
  const model = { format: 'layers-model', modelTopology, weightsManifest };
  return new Map([...shards, ['model.json', new TextEncoder().encode(JSON.stringify(model))]]);
}

const read = (files: ReadonlyMap<string, Uint8Array>) =>
  readKerasGenerator(files.get('model.json')!, {
    file: 'model.json',
    readBeside: async (name) => {
      const bytes = files.get(name);
      if (bytes) return bytes;
      throw new UserError(`there is no file ${name}`);
    },
  });

/** The largest difference of our images from what tfjs predicts. */
async function difference(files: ReadonlyMap<string, Uint8Array>, model: tf.LayersModel) {
  const { network, weights } = await read(files);
  const stored = network.weights.map(
    ({ name, shape }) => [name, encodeWeight(weights.get(name)!, shape, 'float32')] as const,
  );
  const ours = compileGenerator(network, new Map(stored)).generate(LATENTS, 2);
  const theirs = model.predict(tf.tensor(LATENTS, [2, 6])) as tf.Tensor;
  expect([2, ...network.outputShape]).toEqual(theirs.shape);
  const [a, b] = [ours.dataSync<'float32'>(), theirs.dataSync<'float32'>()];
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const { layers } = tf;
const same = { padding: 'same' } as const;

/** A DCGAN in one row. */
const sequential = () =>
  tf.sequential({
    layers: [
      layers.dense({ units: 64, inputShape: [6], useBias: false }),
      layers.reshape({ targetShape: [4, 4, 4] }),
      layers.batchNormalization(),
      layers.leakyReLU({ alpha: 0.2 }),
      layers.conv2dTranspose({ filters: 5, kernelSize: 5, strides: 2, ...same }),
      layers.batchNormalization({ scale: false }),
      layers.reLU(),
      layers.conv2dTranspose({ filters: 3, kernelSize: 4, strides: 3, activation: 'tanh' }),
    ],
  });

/** Branches, a container, frozen weights, and what tfjs upsamples in its own way. */
function branched(): tf.LayersModel {
  const input = tf.input({ shape: [6] });
  const first = tf.sequential({
    layers: [
      layers.dense({ units: 64, activation: 'selu', inputShape: [6], trainable: false }),
      layers.batchNormalization(),
      layers.dense({ units: 36, activation: 'hardSigmoid' }),
    ],
  });
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
    layer.apply(x) as tf.SymbolicTensor;
  const small = apply(layers.reshape({ targetShape: [3, 3, 4] }), apply(first, input));
  const near = apply(layers.upSampling2d({ size: [3, 3] }), small);
  const smooth = apply(layers.upSampling2d({ size: [3, 3], interpolation: 'bilinear' }), small);
  const joined = apply(layers.concatenate(), [near, smooth]);
  const separable = apply(
    layers.separableConv2d({ filters: 4, kernelSize: 3, ...same, activation: 'elu' }),
    joined,
  );
  const prelu = apply(layers.prelu({ sharedAxes: [1, 2] }), separable);
  const normal = apply(layers.layerNormalization(), apply(layers.add(), [prelu, near]));
  const image = layers.conv2d({ filters: 1, kernelSize: 3, activation: 'sigmoid', ...same });
  return tf.model({ inputs: input, outputs: apply(image, normal) });
}

describe('a model that tfjs has saved renders what tfjs predicts:', () => {
  it.each([
    ['a DCGAN', sequential],
    ['branches, a container, frozen weights, upsampling', branched],
  ])('%s', async (_, make) => {
    const model = make();
    const files = filesOf(await save(model));
    expect(await difference(files, model)).toBeLessThan(1e-4);
    expect((await read(files)).framework).toBe('tfjs-layers 4.22.0');
  });

  it.each(['uint8', 'uint16', 'float16'] as const)('weights as %s', async (dtype) => {
    const saved = await save(sequential());
    const most = dtype === 'uint8' ? 255 : 65535;
    // From -1 to 2.5 in equal steps.
    const numbers = new Float32Array(saved.weightData);
    const whole = Array.from(numbers, (value) => Math.round(((value + 1) / 3.5) * most));
    const quantized = {
      uint8: () => Uint8Array.from(whole),
      uint16: () => Uint16Array.from(whole),
      float16: () => Uint16Array.from(encodeWeight(numbers, [numbers.length], 'float16').values),
    }[dtype]();
    const quantization =
      dtype === 'float16'
        ? { dtype }
        : { dtype, scale: 3.5 / most, min: -1, original_dtype: 'float32' };
    const weightSpecs = saved.weightSpecs!.map((spec) => ({ ...spec, quantization }));
    const changed = { ...saved, weightSpecs, weightData: quantized.buffer } as Saved;
    const model = await tf.loadLayersModel(tf.io.fromMemory(changed));
    expect(await difference(filesOf(changed), model)).toBeLessThan(1e-4);
  });

  it.each([
    ['tfjs-layers 4.22.0', 'asymmetric'],
    ['2.15.0', 'half_pixel'], // what resizing.keras of layers.test.ts holds against Keras
  ])(
    'bilinear upsampling is that of the program that trained it: %s',
    async (version, expected) => {
      const saved = await save(branched());
      const modelTopology = { ...saved.modelTopology, keras_version: version };
      const { network } = await read(filesOf({ ...saved, modelTopology }));
      const bilinear = network.layers.filter(
        ({ layer }) => layer.type === 'resize' && layer.method === 'bilinear',
      );
      expect(bilinear).toMatchObject([{ layer: { coordinates: expected } }]);
    },
  );

  it('what export writes comes back as it was', async () => {
    const network = articleGenerator({ imageSize: 16, width: 1 / 16 });
    const weights = new Map(
      network.weights.map(({ name, shape }) => [name, createRandom(name).uniform(product(shape))]),
    );
    const generator = await read(writeTfjsModel(network, weights));
    expect(generator).toMatchObject({ network, weights, framework: 'tfjs, of Keras 2.2.4' });
  });
});

describe('refused in one line is', () => {
  it('a shard that is missing or cut short', async () => {
    const files = filesOf(await save(sequential()));
    const [shard, bytes] = [...files][0]!;
    files.set(shard, bytes.subarray(1));
    await expect(read(files)).rejects.toThrow(
      /^the weights beside model\.json have \d+ bytes, it says \d+: copy or download all its files again$/,
    );
    files.delete(shard);
    await expect(read(files)).rejects.toThrow(`there is no file ${shard}`);
  });

  it.each([
    ['a graph model', { format: 'graph-model' }, 'model.json is a tfjs graph model, a program: '],
    ['another JSON file', { name: 'x' }, 'model.json is no model.json of a tfjs layers model'],
    [
      'an architecture alone',
      { class_name: 'Sequential', config: {} },
      'model.json holds an architecture alone: import its weights, with --config model.json',
    ],
    [
      'weights of a kind that is not known',
      {
        modelTopology: {},
        weightsManifest: [{ paths: [], weights: [{ name: 'a', shape: [], dtype: 'string' }] }],
      },
      'model.json is not as tfjs writes it: weightsManifest.0.weights.0.dtype: ',
    ],
  ])('%s', async (_, json, message) => {
    const bytes = new TextEncoder().encode(JSON.stringify(json));
    await expect(read(new Map([['model.json', bytes]]))).rejects.toThrow(message);
  });

  it('a weight that the manifest has not', async () => {
    const saved = await save(sequential());
    const weightSpecs = saved.weightSpecs!.map((spec, i) =>
      i === 0 ? { ...spec, name: 'other/kernel' } : spec,
    );
    await expect(read(filesOf({ ...saved, weightSpecs }))).rejects.toThrow(
      /^model\.json: the weight dense_Dense\d+\/kernel is missing$/,
    );
  });
});
