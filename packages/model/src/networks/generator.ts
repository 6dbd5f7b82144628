import {
  activation,
  batchNormalization,
  conv2d,
  dense,
  type Layer,
  reshape,
  upSampling2d,
} from './layers.ts';
import { type Network, sequential } from './network.ts';

/**
 * The article's generator (`build_generator`): a latent `[latentSize]` in, an image
 * `[128, 128, 3]` with values in [-1, 1] out. 13,462,659 parameters at the article's width, nearly
 * all of them in the Dense layer. Upsampling then convolving does what a transposed convolution
 * does (the figure of the article has it so).
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

/** Units of each hidden layer of lite's mapping network: see {@link liteGenerator}. */
export const MAPPING_UNITS = 256;

/** Hidden layers of lite's mapping network. */
export const MAPPING_DEPTH = 5;

/** Channels of lite's generator at 4×4, 8×8, … 256×256: those of one side do not depend on the image's. */
const LITE_GENERATOR_CHANNELS = [192, 160, 128, 64, 32, 16, 8] as const;

/**
 * The generator of preset `lite`: from 4×4 up in doublings, as the generators of the DCGAN
 * paper start (Radford et al. 2015, arXiv:1511.06434), so that no layer makes whole images at once
 * like the article's Dense layer onto 32×32. From 16×16 on each block has half the channels of the one
 * before, 2048 / side, as in StyleGAN2 (Karras et al. 2019, arXiv:1912.04958).
 *
 * @param options.imageSize side of the images in pixels, a power of 2 from 8 to 256: at 128 there are
 * five doublings, at 64 one block less, at 256 one more.
 * @param options.mapping whether dense layers of the latent alone come first, a mapping network as StyleGAN's
 * (Karras et al. 2018, arXiv:1812.04948), from a latent to one of as many numbers.
 * @returns latent `[latentSize]` in, `[imageSize, imageSize, 3]` in [-1, 1] out.
 */
export function liteGenerator({
  latentSize = 100,
  imageSize = 128,
  mapping = false,
} = {}): Network {
  const [start, ...doublings] = LITE_GENERATOR_CHANNELS.slice(0, Math.log2(imageSize / 4) + 1);
  return sequential(
    'generator',
    [latentSize],
    [
      ...(mapping ? mappingNetwork(latentSize) : []),
      dense(4 * 4 * start!),
      reshape(4, 4, start!),
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

const mappingNetwork = (latentSize: number): Layer[] => [
  ...Array.from({ length: MAPPING_DEPTH }, () => dense(MAPPING_UNITS, { activation: 'relu' })),
  dense(latentSize),
];
