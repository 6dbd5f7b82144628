import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  activation,
  applyNetwork,
  articleGenerator,
  batchNormalization,
  compileGenerator,
  conv2d,
  conv2dTranspose,
  createRandom,
  dense,
  type Encoding,
  encodeWeight,
  type Layer,
  leakyRelu,
  type Network,
  product,
  registerTrainingKernels,
  reshape,
  sequential,
  upSampling2d,
} from './index.ts';

/** Random weights, also where Keras starts with 0 and 1: γ of both signs, variances far from 1. */
function randomWeights(network: Network): Map<string, Float32Array> {
  return new Map(
    network.weights.map(({ name, shape }) => {
      const values = createRandom(name).uniform(product(shape));
      if (name.endsWith('moving_variance')) return [name, values.map((v) => v + 1.05)];
      return [
        name,
        shape.length > 1 ? values.map((v) => v / Math.sqrt(product(shape.slice(0, -1)))) : values,
      ];
    }),
  );
}

function compile(network: Network, encoding: Encoding = 'float32') {
  const weights = randomWeights(network);
  return compileGenerator(
    network,
    new Map(
      network.weights.map(({ name, shape }) => [
        name,
        encodeWeight(weights.get(name)!, shape, shape.length > 1 ? encoding : 'float32'),
      ]),
    ),
  );
}

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

  const families: [string, Layer[]][] = [
    ['normalization before the activation', [conv2d(6), batchNormalization(), activation('relu')]],
    ['a convolution without activation', [batchNormalization(), conv2d(6), batchNormalization()]],
    ['normalization after upsampling', [upSampling2d(), batchNormalization(), conv2d(6)]],
    ['normalization, then an activation on the host', [batchNormalization(), activation('relu')]],
    ['an activation on the host', [activation('relu'), batchNormalization()]],
    ['a leaky relu on the host', [batchNormalization(), leakyRelu(0.3)]],
    ['a leaky relu after a convolution', [conv2d(6), batchNormalization(), leakyRelu(0.3)]],
    ['normalization after an activation', [conv2d(6), leakyRelu(0.2), batchNormalization()]],
    [
      'normalization between two activations',
      [conv2d(6), leakyRelu(0.2), batchNormalization(), activation('relu')],
    ],
    ['two normalizations', [batchNormalization(), batchNormalization()]],
    ['an activation after upsampling', [upSampling2d(), activation('relu'), conv2d(6)]],
    ['upsampling twice', [upSampling2d(), upSampling2d(), conv2d(6)]],
    ['upsampling before a 5×5 convolution', [upSampling2d(), conv2d(6, { kernelSize: 5 })]],
    ['upsampling before a transposed one', [upSampling2d(), conv2dTranspose(6)]],
    ...[3, 4, 5].flatMap((kernelSize) =>
      [1, 2].map((strides): [string, Layer[]] => [
        `a ${kernelSize}×${kernelSize} transposed convolution of stride ${strides}`,
        [
          batchNormalization(),
          conv2dTranspose(6, { kernelSize, strides }),
          batchNormalization(),
          activation('relu'),
        ],
      ]),
    ),
  ];

  it.each(families)('equals the layers as written with %s', (_, middle) => {
    const layers = [
      dense(4 * 4 * 8),
      reshape(4, 4, 8),
      ...middle,
      upSampling2d(),
      conv2d(3),
      activation('tanh'),
    ];
    const network = sequential('generator', [100], layers);
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

  it('names the layer that it has no step for', () => {
    const layers: Layer[] = [dense(16), reshape(2, 2, 4), { type: 'flatten' }, dense(3)];
    expect(() => compile(sequential('generator', [100], layers))).toThrow(
      "the generator's layer flatten cannot be served: no inference step for flatten",
    );
  });
});
