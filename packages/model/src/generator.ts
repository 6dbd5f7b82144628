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
