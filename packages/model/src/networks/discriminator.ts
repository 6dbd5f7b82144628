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

/** Channels of lite's discriminator at 128×128, 64×64, … 4×4: those of one side do not depend on the image's. */
const LITE_DISCRIMINATOR_CHANNELS = [12, 24, 48, 96, 160, 256] as const;

/**
 * The discriminator of preset `lite`: strided convolutions down to 4×4 with LeakyReLU, and
 * nothing that normalizes: the penalty on its gradient (see the trainer's lite step) keeps it smooth.
 *
 * @param options.imageSize side of the images in pixels, a power of 2 from 8 to 256: at 128 there are
 * five convolutions, at 64 one less, at 256 one more.
 * @param options.minibatchDeviation before the last convolution it sees how much the images of its
 * batch differ: {@link minibatchDeviation}.
 * @param options.classes of which it has a probability each, `[classes]`: that of an image is the one
 * of its own class.
 */
export function liteDiscriminator({
  imageSize = 128,
  minibatchDeviation: seesDeviation,
  classes,
}: {
  imageSize?: number;
  minibatchDeviation: boolean;
  classes: number;
}): Network {
  const channels = LITE_DISCRIMINATOR_CHANNELS.slice(-Math.log2(imageSize / 4));
  return sequential(
    'discriminator',
    [imageSize, imageSize, 3],
    [
      ...channels.slice(0, -1).flatMap(halving),
      ...(seesDeviation ? [minibatchDeviation()] : []),
      ...channels.slice(-1).flatMap(halving),
      flatten(),
      dense(classes),
      activation('sigmoid'),
    ],
  );
}
