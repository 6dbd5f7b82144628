import type * as tf from '@tensorflow/tfjs-core';
import { applyNetwork, type NetworkWeights } from './apply.ts';
import {
  activation,
  batchNormalization,
  conv2d,
  dense,
  dropout,
  flatten,
  halving,
  leakyRelu,
  minibatchDeviation,
  upSampling2d,
  zeroPadding2d,
} from './layers.ts';
import { type Network, sequential } from './network.ts';

/**
 * The article's discriminator (`build_discriminator`): an image `[128, 128, 3]` with values in
 * [-1, 1] in, the probability `[1]` that it is real out. 463,169 parameters at the article's width.
 *
 * @param options.width multiplies every channel count; narrow copies make quick tests.
 * @param options.dropoutRate the article's 0.25; 0 where masks must not matter.
 */
export function articleDiscriminator({
  imageSize = 128,
  width = 1,
  dropoutRate = 0.25,
} = {}): Network {
  return sequential(
    'discriminator',
    [imageSize, imageSize, 3],
    [
      conv2d(32 * width, { strides: 2 }),
      leakyRelu(0.2),
      dropout(dropoutRate),
      conv2d(64 * width, { strides: 2 }),
      zeroPadding2d([
        [0, 1],
        [0, 1],
      ]),
      leakyRelu(0.2),
      dropout(dropoutRate),
      batchNormalization({ momentum: 0.8 }),
      conv2d(128 * width, { strides: 2 }),
      leakyRelu(0.2),
      dropout(dropoutRate),
      batchNormalization({ momentum: 0.8 }),
      conv2d(256 * width, { strides: 1 }),
      leakyRelu(0.2),
      dropout(dropoutRate),
      flatten(),
      dense(1),
      activation('sigmoid'),
    ],
  );
}

/** Channels after each of lite's five strided convolutions, from 64×64 to 4×4. */
const LITE_DISCRIMINATOR_CHANNELS = [24, 48, 96, 160, 256] as const;

/**
 * The discriminator of preset `lite`: five strided convolutions down to 4×4 with LeakyReLU, and
 * nothing that normalizes: the penalty on its gradient (see the trainer's paired step) keeps it smooth.
 *
 * @param options.minibatchDeviation before the last convolution it sees how much the images of its
 * batch differ: {@link minibatchDeviation}.
 * @param options.classes of which it has a probability each, `[classes]`: that of an image is the one
 * of its own class.
 */
export function liteDiscriminator({
  minibatchDeviation: seesDeviation,
  discriminatorReconstruction: drawsAgain = 0,
  classes,
}: {
  minibatchDeviation: boolean;
  discriminatorReconstruction?: number | undefined;
  classes: number;
}): Network {
  const [first, second, third, fourth, last] = LITE_DISCRIMINATOR_CHANNELS;
  const network = sequential(
    'discriminator',
    [128, 128, 3],
    [
      ...[first, second, third, fourth].flatMap(halving),
      ...(seesDeviation ? [minibatchDeviation()] : []),
      ...halving(last),
      flatten(),
      dense(classes),
      activation('sigmoid'),
    ],
  );
  return drawsAgain > 0 ? withDecoder(network) : network;
}

/** Where the weights of D's decoder lie among D's. */
const DECODER = 'decoder/';

/** Layers of D up to its features of 8×8. */
export const LITE_FEATURE_LAYERS = 8;

/** What draws an image `[64, 64, 3]` from D's features `[8, 8, channel]`. */
const LITE_DECODER: Network = sequential(
  'decoder',
  [8, 8, LITE_DISCRIMINATOR_CHANNELS[3]],
  [
    ...[64, 32, 16].flatMap((channels) => [upSampling2d(), conv2d(channels), leakyRelu(0.2)]),
    conv2d(3),
    activation('tanh'),
  ],
);

function withDecoder(network: Network): Network {
  const own = LITE_DECODER.weights.map((spec) => ({ ...spec, name: DECODER + spec.name }));
  return { ...network, weights: [...network.weights, ...own] };
}

/**
 * The image that D's decoder draws from its features.
 * @param features `[batch, 8, 8, channel]`
 * @returns `[batch, 64, 64, 3]` in [-1, 1]
 */
export function decodeFeatures(weights: NetworkWeights, features: tf.Tensor): tf.Tensor {
  const own = [...weights].filter(([name]) => name.startsWith(DECODER));
  const named = new Map(own.map(([name, tensor]) => [name.slice(DECODER.length), tensor]));
  return applyNetwork(LITE_DECODER, named, features, { training: false });
}
