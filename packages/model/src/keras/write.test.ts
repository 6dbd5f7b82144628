import * as tfl from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  articleDiscriminator,
  articleGenerator,
  createRandom,
  type Network,
  product,
  sequential,
} from '../index.ts';
import {
  batchNormalization,
  conv2dTranspose,
  dense,
  leakyRelu,
  reshape,
} from '../networks/layers.ts';
import { applyNetwork } from '../training/apply.ts';
import { registerTrainingKernels } from '../training/index.ts';
import { readHdf5 } from './hdf5.ts';
import {
  readKerasGenerator,
  writeKerasArchive,
  writeKerasH5,
  writeKerasWeights,
  writeTfjsModel,
} from './index.ts';

// That real Keras opens these files is checked by test/reference/check_export.py: docs/export.md.

const small = { imageSize: 16, width: 1 / 16 };
const generator = articleGenerator(small);
const transposed = sequential(
  'generator',
  [7],
  [
    dense(4 * 4 * 5),
    reshape(4, 4, 5),
    conv2dTranspose(4),
    batchNormalization(),
    leakyRelu(0.2),
    conv2dTranspose(3, { kernelSize: 5, strides: 1 }),
  ],
);

const weightsOf = (network: Network) =>
  new Map(
    network.weights.map(({ name, shape }) => {
      const values = createRandom(name).uniform(product(shape));
      return [name, name.endsWith('variance') ? values.map((v) => v + 1.1) : values];
    }),
  );

beforeAll(async () => {
  await tfl.setBackend('cpu');
  registerTrainingKernels('cpu');
});

describe('what is written for Keras', () => {
  it.each([
    ['h5', writeKerasH5],
    ['keras', writeKerasArchive],
    ['weights.h5', writeKerasWeights],
  ] as const)('comes back from .%s as it was', async (kind, write) => {
    for (const network of [generator, transposed]) {
      const weights = weightsOf(network);
      const file = await write(network, weights);
      const options = { file: `generator.${kind}`, architecture: network };
      const read = await readKerasGenerator(file, options);
      expect(read.network).toEqual(network);
      expect(read.weights).toEqual(weights);
    }
  });

  it('is the same bytes for the same weights, whatever the time is', async () => {
    const weights = weightsOf(generator);
    for (const write of [writeKerasH5, writeKerasArchive, writeKerasWeights]) {
      const today = await write(generator, weights);
      vi.setSystemTime('2040-05-17T09:30:05Z');
      const later = await write(generator, weights);
      vi.useRealTimers();
      expect(later).toEqual(today);
    }
  });

  it('begins with an explicit InputLayer, and names weights as Keras 2 does', async () => {
    const file = await writeKerasH5(generator, weightsOf(generator));
    const { attributes, groups } = await readHdf5(file, 'generator.h5');
    const config = JSON.parse(attributes.get('model_config') as string);
    expect(config.config.layers[0]).toMatchObject({
      class_name: 'InputLayer',
      config: { batch_input_shape: [null, 100] },
    });
    const dense = groups.get('model_weights')!.groups.get('dense')!;
    expect(dense.attributes.get('weight_names')).toEqual(['dense/kernel:0', 'dense/bias:0']);
    expect(dense.groups.get('dense')!.datasets.get('kernel:0')!.shape).toEqual([100, 128]);
  });
});

describe('the tfjs layers model', () => {
  it.each([generator, articleDiscriminator(small), transposed])(
    'of the $name is read by tf.loadLayersModel and predicts the same',
    async (network) => {
      const weights = weightsOf(network);
      const model = await loadLayersModel(writeTfjsModel(network, weights));
      const x = tfl.tensor(createRandom('input').uniform(2 * product(network.inputShape)), [
        2,
        ...network.inputShape,
      ]);
      const tensors = new Map(
        network.weights.map(({ name, shape }) => [
          name,
          tfl.tensor(weights.get(name)!, [...shape]),
        ]),
      );
      const ours = applyNetwork(network, tensors, x, { training: false });
      const theirs = model.predict(x) as tfl.Tensor;
      expect(theirs.shape).toEqual(ours.shape);
      expect(tfl.max(tfl.abs(tfl.sub(ours, theirs))).dataSync()[0]).toBeLessThan(1e-5);
    },
  );
});

/** Serves the files to tfjs as a web server would. */
function loadLayersModel(files: ReadonlyMap<string, Uint8Array>): Promise<tfl.LayersModel> {
  const fetchFunc = async (url: unknown) => {
    const file = files.get(String(url).split('/').at(-1)!);
    return file ? new Response(new Uint8Array(file)) : new Response('not found', { status: 404 });
  };
  return tfl.loadLayersModel(tfl.io.http('http://localhost/model.json', { fetchFunc }));
}
