import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  activation,
  articleDiscriminator,
  articleGenerator,
  batchNormalization,
  conv2dTranspose,
  createRandom,
  dense,
  leakyRelu,
  type Network,
  product,
  reshape,
  sequential,
} from '../index.ts';
import { applyNetwork, registerTrainingKernels } from '../training/index.ts';
import { writeOnnx } from './index.ts';

const small = { imageSize: 16, width: 1 / 16 };
const transposed = (kernelSize: number, strides: number) =>
  sequential(
    'generator',
    [7],
    [
      dense(4 * 4 * 5),
      batchNormalization(),
      reshape(4, 4, 5),
      conv2dTranspose(4, { kernelSize, strides }),
      leakyRelu(0.2),
      conv2dTranspose(3),
      activation('tanh'),
    ],
  );

function randomWeights(network: Network): Map<string, Float32Array> {
  return new Map(
    network.weights.map(({ name, shape }) => {
      const values = createRandom(name).uniform(product(shape));
      const fanIn = Math.sqrt(product(shape.slice(0, -1)));
      return [name, values.map((v) => (name.endsWith('variance') ? v + 1.1 : v / fanIn))];
    }),
  );
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

describe('writeOnnx', () => {
  it.each([
    ['the article’s generator', articleGenerator(small)],
    ['the article’s discriminator', articleDiscriminator(small)],
    ['4×4 transposed convolutions of stride 2', transposed(4, 2)],
    ['5×5 transposed convolutions of stride 2', transposed(5, 2)],
    ['3×3 transposed convolutions of stride 1', transposed(3, 1)],
  ])('%s predicts in onnxruntime what its layers do, within 1e-5', async (_, network) => {
    const weights = randomWeights(network);
    const x = createRandom('input').uniform(2 * product(network.inputShape));
    const shape = [2, ...network.inputShape];
    const session = await InferenceSession.create(writeOnnx(network, weights));
    const { y } = await session.run({ x: new Tensor('float32', x, shape) });
    const tensors = network.weights.map(
      ({ name, shape }) => [name, tf.tensor(weights.get(name)!, [...shape])] as const,
    );
    const mode = { training: false } as const;
    const ours = applyNetwork(network, new Map(tensors), tf.tensor(x, shape), mode);
    expect(y!.dims).toEqual(ours.shape);
    const theirs = tf.tensor(y!.data as Float32Array, ours.shape);
    expect(tf.max(tf.abs(tf.sub(ours, theirs))).dataSync()[0]).toBeLessThan(1e-5);
  });
});
