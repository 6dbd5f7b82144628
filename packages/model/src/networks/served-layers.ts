/**
 * Layers that imported generators have beside those of layers.ts: they are served, not trained.
 *
 * @module
 */
import type { WeightSpec } from './weight-spec.ts';

/** `[along rows, along columns]`: height first. */
export type Pair = readonly [number, number];

/** `[[top, bottom], [left, right]]`, in pixels. */
export type Padding2D = readonly [readonly [number, number], readonly [number, number]];

/** Where a pixel of a resized image lies in the original (names as in ONNX's Resize). */
export type Coordinates = 'half_pixel' | 'asymmetric' | 'align_corners' | 'pytorch_half_pixel';

/** Functions of one number; `alpha`, `low` and `high` where they have such. */
export type ElementwiseFunction =
  | { function: 'elu'; alpha: number }
  | { function: 'clip'; low: number; high: number }
  | { function: 'hardSigmoid'; slope: number; offset: number }
  | {
      function:
        | 'selu'
        | 'silu'
        | 'hardSilu'
        | 'gelu'
        | 'geluTanh'
        | 'softplus'
        | 'softsign'
        | 'mish'
        | 'exp'
        | 'erf';
    };

/** Of several inputs of one shape; where an axis of one of them has length 1, it is repeated. */
export const COMBINATIONS = [
  'add',
  'subtract',
  'multiply',
  'average',
  'maximum',
  'minimum',
] as const;
export type Combination = (typeof COMBINATIONS)[number];

export type ServedLayer =
  /** A convolution over an image with a border of zeros. */
  | {
      type: 'paddedConv2d';
      filters: number;
      kernelSize: Pair;
      strides: Pair;
      padding: Padding2D;
    }
  /**
   * A transposed convolution, less rows and columns at the border: of (n − 1) · strides + kernelSize
   * there are `cropping` fewer. A negative number after the last adds rows that see nothing (Keras's
   * and PyTorch's `output_padding`).
   */
  | {
      type: 'croppedConv2dTranspose';
      filters: number;
      kernelSize: Pair;
      strides: Pair;
      cropping: Padding2D;
    }
  /** Each channel by itself: kernel `[rows, columns, channels, 1]`. */
  | { type: 'depthwiseConv2d'; kernelSize: Pair; strides: Pair; padding: Padding2D }
  | { type: 'cropping2d'; cropping: Padding2D }
  | {
      type: 'resize';
      height: number;
      width: number;
      method: 'nearest' | 'bilinear' | 'bicubic';
      coordinates: Coordinates;
    }
  /** The axes of an input in another order, without the batch axis: Keras's Permute counts from 1, this from 0. */
  | { type: 'permute'; axes: readonly number[] }
  /** Some numbers of a flat input: those of the latent, or those that say the class. */
  | { type: 'slice'; start: number; size: number }
  /** Keras `Rescaling`: x · scale + offset. */
  | { type: 'rescaling'; scale: number; offset: number }
  | ({ type: 'elementwise' } & ElementwiseFunction)
  /** Keras `PReLU`: x where x > 0, else alpha · x, with an alpha for each place of `shape`. */
  | { type: 'pRelu'; shape: readonly number[] }
  /** Over all places and the channels of each group; as many groups as channels is instance normalization. */
  | { type: 'groupNormalization'; groups: number; epsilon: number }
  /** Over the channels of each place. */
  | { type: 'layerNormalization'; epsilon: number }
  | { type: Combination }
  /** Channels beside channels. */
  | { type: 'concatenate' };

/** How an axis of a convolution's input and output relate. */
const convolved = (length: number, kernel: number, stride: number, [a, b]: Pair) =>
  Math.floor((length + a + b - kernel) / stride) + 1;

/**
 * The weights of a layer, in the order of Keras.
 * @param inputShape of the first input, without the batch axis.
 */
export function servedLayerWeights(
  layer: ServedLayer,
  inputShape: readonly number[],
): WeightSpec[] {
  const channels = inputShape.at(-1) ?? 0;
  switch (layer.type) {
    case 'paddedConv2d':
      return [
        spec('kernel', [...layer.kernelSize, channels, layer.filters]),
        spec('bias', [layer.filters], 'zeros'),
      ];
    case 'croppedConv2dTranspose':
      return [
        spec('kernel', [...layer.kernelSize, layer.filters, channels]),
        spec('bias', [layer.filters], 'zeros'),
      ];
    case 'depthwiseConv2d':
      return [
        spec('kernel', [...layer.kernelSize, channels, 1]),
        spec('bias', [channels], 'zeros'),
      ];
    case 'pRelu':
      return [spec('alpha', layer.shape, 'zeros')];
    case 'groupNormalization':
    case 'layerNormalization':
      return [spec('gamma', [channels], 'ones'), spec('beta', [channels], 'zeros')];
    default:
      return [];
  }
}

const spec = (
  name: string,
  shape: readonly number[],
  initializer: WeightSpec['initializer'] = 'glorotUniform',
): WeightSpec => ({ name, shape, initializer, trainable: true });

/**
 * The shape that a layer gives to its inputs (without the batch axis).
 * @throws Error when the layer cannot take them.
 */
export function servedOutputShape(
  layer: ServedLayer,
  inputShapes: readonly (readonly number[])[],
): readonly number[] {
  const [shape = []] = inputShapes;
  switch (layer.type) {
    case 'paddedConv2d':
    case 'depthwiseConv2d':
      return convolvedShape(layer, imageShape(layer, shape));
    case 'croppedConv2dTranspose':
      return transposedShape(layer, imageShape(layer, shape));
    case 'cropping2d': {
      const [height, width, channels] = imageShape(layer, shape);
      const [[top, bottom], [left, right]] = layer.cropping;
      return positive(layer, [height - top - bottom, width - left - right, channels]);
    }
    case 'resize': {
      const [, , channels] = imageShape(layer, shape);
      return [layer.height, layer.width, channels];
    }
    case 'permute':
      return permutedShape(layer, shape);
    case 'slice':
      if (shape.length !== 1 || layer.start + layer.size > shape[0]!) {
        throw new Error(`layer slice takes ${layer.start + layer.size} numbers, not [${shape}]`);
      }
      return [layer.size];
    case 'pRelu':
      broadcast(layer, [shape, layer.shape]);
      return shape;
    case 'groupNormalization':
      if (shape.at(-1)! % layer.groups === 0) return shape;
      throw new Error(`layer groupNormalization has ${layer.groups} groups, its input [${shape}]`);
    case 'concatenate':
      return concatenated(inputShapes);
    case 'add':
    case 'subtract':
    case 'multiply':
    case 'average':
    case 'maximum':
    case 'minimum':
      return broadcast(layer, inputShapes);
    default:
      return shape;
  }
}

type LayerOf<Type extends ServedLayer['type']> = Extract<ServedLayer, { type: Type }>;
type ImageShape = readonly [height: number, width: number, channels: number];

function convolvedShape(
  layer: LayerOf<'paddedConv2d' | 'depthwiseConv2d'>,
  [height, width, channels]: ImageShape,
): readonly number[] {
  const { kernelSize, strides, padding } = layer;
  return positive(layer, [
    convolved(height, kernelSize[0], strides[0], padding[0]),
    convolved(width, kernelSize[1], strides[1], padding[1]),
    layer.type === 'depthwiseConv2d' ? channels : layer.filters,
  ]);
}

function transposedShape(
  layer: LayerOf<'croppedConv2dTranspose'>,
  sides: ImageShape,
): readonly number[] {
  const { kernelSize, strides, cropping, filters } = layer;
  const [height, width] = ([0, 1] as const).map((axis) => {
    const [before, after] = cropping[axis];
    return (sides[axis] - 1) * strides[axis] + kernelSize[axis] - before - after;
  });
  return positive(layer, [height!, width!, filters]);
}

function permutedShape({ axes }: LayerOf<'permute'>, shape: readonly number[]): readonly number[] {
  if (axes.toSorted().join() === shape.map((_, i) => i).join()) {
    return axes.map((axis) => shape[axis]!);
  }
  throw new Error(`layer permute has axes [${axes}], its input has ${shape.length} of them`);
}

function broadcast(
  { type }: ServedLayer,
  shapes: readonly (readonly number[])[],
): readonly number[] {
  return shapes.reduce((a, b) => {
    const axes = Math.max(a.length, b.length);
    return Array.from({ length: axes }, (_, i) => {
      const [m, n] = [a[a.length - axes + i] ?? 1, b[b.length - axes + i] ?? 1];
      if (m !== n && m !== 1 && n !== 1) {
        throw new Error(`layer ${type} takes inputs of one shape, not [${a}] and [${b}]`);
      }
      return Math.max(m, n);
    });
  });
}

function concatenated(shapes: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = shapes;
  const channels = shapes.map((shape) => {
    if (shape.length === first.length && shape.slice(0, -1).join() === first.slice(0, -1).join()) {
      return shape.at(-1)!;
    }
    throw new Error(`layer concatenate takes images of one size, not [${first}] and [${shape}]`);
  });
  return [...first.slice(0, -1), channels.reduce((sum, count) => sum + count, 0)];
}

function imageShape({ type }: ServedLayer, shape: readonly number[]): ImageShape {
  const [height, width, channels] = shape;
  if (shape.length === 3 && height && width && channels) return [height, width, channels];
  throw new Error(`layer ${type} takes an image [height, width, channels], not [${shape}]`);
}

function positive({ type }: ServedLayer, shape: readonly number[]): readonly number[] {
  if (shape.every((length) => length > 0)) return shape;
  throw new Error(`layer ${type} would make [${shape.join(', ')}] of its input`);
}
