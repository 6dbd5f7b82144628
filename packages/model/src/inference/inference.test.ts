import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  activation,
  articleGenerator,
  batchNormalization,
  conv2dTranspose,
  createRandom,
  dense,
  type Encoding,
  encodeWeight,
  functional,
  type Layer,
  leakyRelu,
  type Network,
  reshape,
  sequential,
} from '../index.ts';
import {
  familyGenerator,
  INFERENCE_FAMILIES,
  randomWeights,
  storedWeights,
} from '../testing/generators.ts';
import { applyNetwork, registerTrainingKernels } from '../training/index.ts';
import { compileGenerator } from './index.ts';

const compile = (network: Network, encoding?: Encoding) =>
  compileGenerator(network, storedWeights(network, encoding));

function applyAsWritten(network: Network, latents: tf.Tensor2D): tf.Tensor {
  const weights = randomWeights(network);
  const tensors = network.weights.map(
    ({ name, shape }) => [name, tf.tensor(weights.get(name)!, [...shape])] as const,
  );
  return applyNetwork(network, new Map(tensors), latents, { training: false });
}

function maxDifference(a: tf.Tensor, b: tf.Tensor): number {
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

const article = articleGenerator({ imageSize: 32, width: 1 / 8 });
const latents = createRandom('latents').uniform(3 * 100);

describe('the inference graph', () => {
  it('equals the layers as written, within 1e-5', () => {
    const generator = compile(article);
    const ours = generator.generate(latents, 3);
    expect(ours.shape).toEqual([3, 32, 32, 3]);
    expect(
      maxDifference(ours, applyAsWritten(article, tf.tensor2d(latents, [3, 100]))),
    ).toBeLessThan(1e-5);
    generator.dispose();
  });

  it.each(INFERENCE_FAMILIES)('equals the layers as written with %s', (_, middle) => {
    const network = familyGenerator(middle);
    const ours = compile(network).generate(latents, 3);
    expect(
      maxDifference(ours, applyAsWritten(network, tf.tensor2d(latents, [3, 100]))),
    ).toBeLessThan(1e-5);
  });

  it('takes normalization and activation between Dense and Reshape', () => {
    const layers = [
      dense(4 * 4 * 8),
      batchNormalization(),
      leakyRelu(0.3),
      reshape(4, 4, 8),
      conv2dTranspose(3, { kernelSize: 5 }),
      activation('tanh'),
    ];
    const network = sequential('generator', [100], layers);
    const ours = compile(network).generate(latents, 3);
    const asWritten = applyAsWritten(network, tf.tensor2d(latents, [3, 100]));
    expect(maxDifference(ours, asWritten)).toBeLessThan(1e-5);
  });

  it.each([
    ['float16', 0.005],
    ['int8', 0.05],
  ] as const)('is near to it with %s kernels', (encoding, bound) => {
    const ours = compile(article, encoding).generate(latents, 3);
    const exact = compile(article).generate(latents, 3);
    expect(maxDifference(ours, exact)).toBeGreaterThan(0);
    expect(maxDifference(ours, exact)).toBeLessThan(bound);
  });

  it('gives an image of a batch the same bits as alone', () => {
    const generator = compile(article, 'int8');
    const batch = generator.generate(latents, 3).dataSync();
    const alone = generator.generate(latents.subarray(100, 200), 1).dataSync();
    expect(batch.subarray(alone.length, 2 * alone.length)).toEqual(alone);
  });

  it('keeps no tensor but its kernels, and frees those', () => {
    const before = tf.memory().numTensors;
    const generator = compile(article);
    generator.generate(latents, 3).dispose();
    const kept = tf.memory().numTensors;
    generator.generate(latents, 3).dispose();
    expect(tf.memory().numTensors).toBe(kept);
    generator.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('normalizes once what a layer reads twice, by hand', () => {
    // Units of 1, 2, 3 whatever the latent is; normalized 2 x + 1, then squared.
    const network = functional(
      'generator',
      [2],
      [
        { layer: dense(3), inputs: [-1] },
        { layer: reshape(1, 1, 3), inputs: [0] },
        { layer: batchNormalization({ epsilon: 0.25 }), inputs: [1] },
        { layer: { type: 'multiply' }, inputs: [2, 2] },
      ],
    );
    const values: Record<string, number[]> = {
      'dense/kernel': [0, 0, 0, 0, 0, 0],
      'dense/bias': [1, 2, 3],
      'batch_normalization/gamma': [2, 2, 2],
      'batch_normalization/beta': [1, 1, 1],
      'batch_normalization/moving_mean': [0, 0, 0],
      'batch_normalization/moving_variance': [0.75, 0.75, 0.75],
    };
    const stored = network.weights.map(({ name, shape }) => {
      return [name, encodeWeight(Float32Array.from(values[name]!), shape, 'float32')] as const;
    });
    const image = compileGenerator(network, new Map(stored)).generate(new Float32Array(2), 1);
    expect([...image.dataSync()]).toEqual([9, 25, 49]);
  });

  it('names the layer that it has no step for', () => {
    const layers: Layer[] = [dense(16), reshape(2, 2, 4), { type: 'minibatchDeviation' }];
    expect(() => compile(sequential('generator', [100], layers))).toThrow(
      "the generator's layer minibatch_deviation cannot be served: no inference step for minibatchDeviation",
    );
  });
});
