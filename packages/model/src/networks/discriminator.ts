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
  classes,
}: {
  minibatchDeviation: boolean;
  classes: number;
}): Network {
  const [first, second, third, fourth, last] = LITE_DISCRIMINATOR_CHANNELS;
  return sequential(
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
}
