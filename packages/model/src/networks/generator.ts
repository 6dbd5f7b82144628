import { activation, batchNormalization, conv2d, dense, reshape, upSampling2d } from './layers.ts';
import { type Network, sequential } from './network.ts';

/**
 * The article's generator (`build_generator`): a latent `[latentSize]` in, an image
 * `[128, 128, 3]` with values in [-1, 1] out. 13,462,659 parameters at the article's width, nearly
 * all of them in the Dense layer. Upsampling then convolving does what a transposed convolution
 * does (the article draws it so).
 *
 * @param options.width multiplies every channel count but the image's; narrow copies make quick tests.
 * @param options.imageSize side in pixels, a multiple of 4: two upsamplings start from a quarter of it.
 */
export function articleGenerator({ latentSize = 100, imageSize = 128, width = 1 } = {}): Network {
  const side = imageSize / 4;
  const wide = 128 * width;
  return sequential(
    'generator',
    [latentSize],
    [
      dense(side * side * wide, { activation: 'relu' }),
      reshape(side, side, wide),
      batchNormalization({ momentum: 0.8 }),
      upSampling2d(),
      conv2d(128 * width),
      activation('relu'),
      batchNormalization({ momentum: 0.8 }),
      upSampling2d(),
      conv2d(64 * width),
      activation('relu'),
      batchNormalization({ momentum: 0.8 }),
      conv2d(3),
      activation('tanh'),
    ],
  );
}

/** Channels after each of lite's five upsamplings, from 8×8 to 128×128; the first number is at 4×4. */
const LITE_GENERATOR_CHANNELS = [192, 160, 128, 64, 32, 16] as const;

/**
 * The generator of preset `lite`: from 4×4 up in five doublings, as the generators of the DCGAN
 * paper start (Radford et al. 2015, arXiv:1511.06434), so that no layer draws whole images at once
 * like the article's Dense layer onto 32×32. Latent `[latentSize]` in, `[128, 128, 3]` in [-1, 1] out.
 */
export function liteGenerator({ latentSize = 100 } = {}): Network {
  const [start, ...doublings] = LITE_GENERATOR_CHANNELS;
  return sequential(
    'generator',
    [latentSize],
    [
      dense(4 * 4 * start),
      reshape(4, 4, start),
      batchNormalization({ momentum: 0.9 }),
      activation('relu'),
      ...doublings.flatMap((channels) => [
        upSampling2d(),
        conv2d(channels),
        batchNormalization({ momentum: 0.9 }),
        activation('relu'),
      ]),
      conv2d(3),
      activation('tanh'),
    ],
  );
}
