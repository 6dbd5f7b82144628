/**
 * The layers that the networks are written in: plain data with the names, arguments and defaults of
 * their Keras namesakes, so a network is a list that can be read, printed, saved and compiled.
 * All image tensors are NHWC: `[batch, height, width, channel]`; shapes here leave the batch out.
 *
 * @module
 */

import {
  type Padding2D,
  type ServedLayer,
  servedLayerWeights,
  servedOutputShape,
} from './served-layers.ts';
import type { WeightSpec } from './weight-spec.ts';

export type Activation = 'relu' | 'tanh' | 'sigmoid';

/** What is trained here, and served-layers.ts. */
export type Layer =
  | ServedLayer
  | { type: 'dense'; units: number; activation?: Activation | undefined }
  | { type: 'reshape'; shape: readonly number[] }
  | { type: 'flatten' }
  | { type: 'conv2d'; filters: number; kernelSize: number; strides: number }
  | { type: 'conv2dTranspose'; filters: number; kernelSize: number; strides: number }
  | { type: 'upSampling2d' }
  | { type: 'zeroPadding2d'; padding: Padding2D }
  | { type: 'batchNormalization'; momentum: number; epsilon: number }
  | { type: 'activation'; activation: Activation }
  | { type: 'leakyRelu'; alpha: number }
  | { type: 'dropout'; rate: number }
  | { type: 'minibatchDeviation' };

/** Keras `Dense`: `[units]` from a flat input, kernel `[inputs, units]`, with bias. */
export const dense = (units: number, options: { activation?: Activation } = {}): Layer => ({
  type: 'dense',
  units,
  activation: options.activation,
});

/** Keras `Reshape`: the same numbers in another shape (without the batch axis). */
export const reshape = (...shape: number[]): Layer => ({ type: 'reshape', shape });

/** Keras `Flatten`: one axis, in NHWC order. */
export const flatten = (): Layer => ({ type: 'flatten' });

/** Keras `Conv2D` with `padding="same"`: kernel `[size, size, channelsIn, filters]`, with bias. */
export const conv2d = (
  filters: number,
  { kernelSize = 3, strides = 1 }: { kernelSize?: number; strides?: number } = {},
): Layer => ({ type: 'conv2d', filters, kernelSize, strides });

/**
 * Keras `Conv2DTranspose` with `padding="same"`: `strides` times the size, kernel
 * `[size, size, filters, channelsIn]`, with bias.
 */
export const conv2dTranspose = (
  filters: number,
  { kernelSize = 4, strides = 2 }: { kernelSize?: number; strides?: number } = {},
): Layer => ({ type: 'conv2dTranspose', filters, kernelSize, strides });

/** Keras `UpSampling2D()`: each pixel becomes 2×2 equal ones (nearest neighbour). */
export const upSampling2d = (): Layer => ({ type: 'upSampling2d' });

/** Keras `ZeroPadding2D`: rows and columns of zeros at the border. */
export const zeroPadding2d = (padding: Padding2D): Layer => ({ type: 'zeroPadding2d', padding });

/** Keras `BatchNormalization` over the last axis; `momentum` is the share the old average keeps. */
export const batchNormalization = ({ momentum = 0.99, epsilon = 1e-3 } = {}): Layer => ({
  type: 'batchNormalization',
  momentum,
  epsilon,
});

/** Keras `Activation`. */
export const activation = (name: Activation): Layer => ({ type: 'activation', activation: name });

/** Keras `LeakyReLU`: x where x > 0, else `alpha`·x. */
export const leakyRelu = (alpha: number): Layer => ({ type: 'leakyRelu', alpha });

/**
 * What halves an image in the networks of preset `lite`: a strided convolution with its LeakyReLU. A
 * kernel of even size covers every pixel equally often at stride 2. Under 3×3 some pixels get twice
 * the gradient of others, and G renders that grid (Odena et al. 2016, distill.pub).
 */
export const halving = (filters: number): Layer[] => [
  conv2d(filters, { kernelSize: 4, strides: 2 }),
  leakyRelu(0.2),
];

/** Keras `Dropout`: in training zeroes a share `rate` and scales the rest by 1 / (1 − rate). */
export const dropout = (rate: number): Layer => ({ type: 'dropout', rate });

/**
 * How much the images of a batch differ, as one more channel for each that there is: the standard
 * deviation over the batch of each number, averaged over all places, which every place of every
 * image gets. With it D sees at once that a batch shows one face only. Karras et al. (2018,
 * arXiv:1710.10196, section 3) average over the channels too; then characters that differ hide that
 * their backgrounds do not. Keras has no such layer; it is for discriminators.
 */
export const minibatchDeviation = (): Layer => ({ type: 'minibatchDeviation' });

/**
 * The weights a layer owns, in Keras's order.
 * @param inputShape without the batch axis.
 */
export function layerWeights(layer: Layer, inputShape: readonly number[]): WeightSpec[] {
  const channels = inputShape.at(-1) ?? 0;
  switch (layer.type) {
    case 'dense':
      return [
        weight('kernel', [channels, layer.units], 'glorotUniform'),
        weight('bias', [layer.units], 'zeros'),
      ];
    case 'conv2d':
      return [
        weight(
          'kernel',
          [layer.kernelSize, layer.kernelSize, channels, layer.filters],
          'glorotUniform',
        ),
        weight('bias', [layer.filters], 'zeros'),
      ];
    case 'conv2dTranspose':
      return [
        weight(
          'kernel',
          [layer.kernelSize, layer.kernelSize, layer.filters, channels],
          'glorotUniform',
        ),
        weight('bias', [layer.filters], 'zeros'),
      ];
    case 'batchNormalization':
      return [
        weight('gamma', [channels], 'ones'),
        weight('beta', [channels], 'zeros'),
        weight('moving_mean', [channels], 'zeros', false),
        weight('moving_variance', [channels], 'ones', false),
      ];
    case 'reshape':
    case 'flatten':
    case 'upSampling2d':
    case 'zeroPadding2d':
    case 'activation':
    case 'leakyRelu':
    case 'dropout':
    case 'minibatchDeviation':
      return [];
    default:
      return servedLayerWeights(layer, inputShape);
  }
}

function weight(
  name: string,
  shape: readonly number[],
  initializer: WeightSpec['initializer'],
  trainable = true,
): WeightSpec {
  return { name, shape, initializer, trainable };
}

/**
 * The shape a layer gives to its input (without the batch axis).
 * @param others of those that have several inputs
 * @throws Error when the layer cannot take that input.
 */
export function outputShape(
  layer: Layer,
  inputShape: readonly number[],
  ...others: readonly (readonly number[])[]
): readonly number[] {
  switch (layer.type) {
    case 'dense':
      if (inputShape.length !== 1) throw shapeError(layer, inputShape, 'a flat input');
      return [layer.units];
    case 'reshape':
      if (product(layer.shape) !== product(inputShape)) {
        throw shapeError(layer, inputShape, `${product(layer.shape)} numbers`);
      }
      return layer.shape;
    case 'flatten':
      return [product(inputShape)];
    case 'conv2d': {
      const [height, width] = imageShape(layer, inputShape);
      return [Math.ceil(height / layer.strides), Math.ceil(width / layer.strides), layer.filters];
    }
    case 'conv2dTranspose': {
      const [height, width] = imageShape(layer, inputShape);
      return [height * layer.strides, width * layer.strides, layer.filters];
    }
    case 'upSampling2d': {
      const [height, width, channels] = imageShape(layer, inputShape);
      return [2 * height, 2 * width, channels];
    }
    case 'zeroPadding2d': {
      const [height, width, channels] = imageShape(layer, inputShape);
      const [[top, bottom], [left, right]] = layer.padding;
      return [height + top + bottom, width + left + right, channels];
    }
    case 'minibatchDeviation': {
      const [height, width, channels] = imageShape(layer, inputShape);
      return [height, width, 2 * channels];
    }
    case 'batchNormalization':
    case 'activation':
    case 'leakyRelu':
    case 'dropout':
      return inputShape;
    default:
      return servedOutputShape(layer, [inputShape, ...others]);
  }
}

function imageShape(layer: Layer, shape: readonly number[]): [number, number, number] {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || !height || !width || !channels) {
    throw shapeError(layer, shape, 'an image [height, width, channels]');
  }
  return [height, width, channels];
}

function shapeError(layer: Layer, shape: readonly number[], wanted: string): Error {
  return new Error(`layer ${layer.type} takes ${wanted}, not [${shape.join(', ')}]`);
}

/** The number of elements of a tensor of this shape. */
export function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
