/**
 * Generators of every shape that the inference graph takes, with weights to tell them apart.
 *
 * @module
 */
import {
  activation,
  batchNormalization,
  conv2d,
  conv2dTranspose,
  createRandom,
  dense,
  type Encoding,
  encodeWeight,
  type HostWeights,
  type Layer,
  leakyRelu,
  type Network,
  product,
  reshape,
  sequential,
  upSampling2d,
} from '../index.ts';

/** What may lie between the reshape and the last upsampling of a generator, by a name for tests. */
export const INFERENCE_FAMILIES: readonly [string, Layer[]][] = [
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

/** A generator with these layers in its middle: `[100]` to an image of 3 channels. */
export function familyGenerator(middle: readonly Layer[]): Network {
  const layers = [
    dense(4 * 4 * 8),
    reshape(4, 4, 8),
    ...middle,
    upSampling2d(),
    conv2d(3),
    activation('tanh'),
  ];
  return sequential('generator', [100], layers);
}

/** Random weights, also where Keras starts with 0 and 1: γ of both signs, variances far from 1. */
export function randomWeights(network: Network): Map<string, Float32Array> {
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

/** {@link randomWeights} as a generator file stores them: kernels encoded, vectors float32. */
export function storedWeights(network: Network, encoding: Encoding = 'float32'): HostWeights {
  const weights = randomWeights(network);
  return new Map(
    network.weights.map(({ name, shape }) => [
      name,
      encodeWeight(weights.get(name)!, shape, shape.length > 1 ? encoding : 'float32'),
    ]),
  );
}
