/**
 * The generator as operations on images, the same for every backend:
 *
 * - Upsampling and the convolution after it are one.
 * - Batch normalization, y = scale · x + shift, is gone. Directly after a convolution or a Dense
 *   layer it goes into their numbers. Before a convolution its scale goes into the kernel, and
 *   shift / scale is added to what comes before, so that the zeros of the padding stay zeros.
 * - An activation, and then such an addition, are done where the sums are made.
 *
 * @module
 */

import type { HostWeight } from '../generator-file/weights.ts';
import type { Activation } from '../networks/layers.ts';
import type {
  Combination,
  Coordinates,
  ElementwiseFunction,
  Pair,
} from '../networks/served-layers.ts';
import type { Sides } from '../networks/transposed.ts';
import type { FoldedConvolution } from './fold.ts';

/** `[height, width, channels]`; flat numbers are `[1, 1, numbers]`. */
export type ImageShape = readonly [number, number, number];

/**
 * How a convolution computes. `integer` rounds activations to 13 bits (of the largest magnitude in the
 * image) and kernels to at most 16, and sums exactly in int32 (simd/assembly has the rule). Engines
 * without integer loops compute in float32.
 */
export type Arithmetic = 'float32' | 'integer';

/** What is done to each sum before it is stored: the activation, then an addition by channel. */
export interface Finish {
  activation?: Activation;
  /** `[channels]`, or `[units]` of a Dense layer */
  after?: Float32Array;
}

/** y = finish(scale · (x · kernel) + bias) */
export interface DenseOp {
  type: 'dense';
  /** `[inputs, units]`, as it is stored. */
  kernel: HostWeight;
  /** `[units]` */
  scale: Float32Array | undefined;
  /** `[units]` */
  bias: Float32Array;
  finish: Finish;
}

/**
 * A convolution. `upsampled` doubles the image first, and is 3×3 with `same` padding; `transposed` is
 * Keras's Conv2DTranspose.
 */
export interface ConvolutionOp extends FoldedConvolution {
  type: 'convolution';
  kind: 'plain' | 'upsampled' | 'transposed';
  strides: Pair;
  /** Of a plain one, pixels of zeros around the image; of a transposed one, what is cropped from its sums. */
  border: Sides;
  arithmetic: Arithmetic;
  finish: Finish;
  /** Before the upsampling, if there is one. */
  input: ImageShape;
  output: ImageShape;
}

/** Each channel convolved by itself: kernel `[rows, columns, channels, 1]`. */
export interface DepthwiseOp {
  type: 'depthwise';
  kernel: Float32Array;
  kernelShape: readonly [number, number, number, number];
  bias: Float32Array;
  strides: Pair;
  border: Sides;
}

/** On each number by itself; an affine map and the slopes of a PReLU are by channel. */
export type PointwiseOp =
  | { type: 'activation'; activation: Activation }
  | { type: 'leakyRelu'; alpha: number }
  | { type: 'affine'; scale: Float32Array | undefined; shift: Float32Array }
  | { type: 'rescaling'; scale: number; offset: number }
  | ({ type: 'elementwise' } & ElementwiseFunction)
  | { type: 'pRelu'; alpha: Float32Array; shape: ImageShape };

/** Over parts of an image: see the layers of the same names. */
export type NormalizationOp =
  | { type: 'groupNormalization'; groups: number; epsilon: number }
  | { type: 'layerNormalization'; epsilon: number };

/** What moves pixels. */
export type PlacementOp =
  /** Nearest-neighbour 2× by itself. */
  | { type: 'upsample' }
  /** Zeros around the image, or less of it where negative. */
  | { type: 'pad'; border: Sides }
  | {
      type: 'resize';
      input: ImageShape;
      output: ImageShape;
      method: 'nearest' | 'bilinear' | 'bicubic';
      coordinates: Coordinates;
    }
  /** `[height, width, channels]` in another order. */
  | { type: 'permute'; axes: readonly number[]; input: readonly number[] }
  | { type: 'slice'; start: number; size: number };

/** Of several inputs. */
export type CombinationOp = { type: Combination } | { type: 'concatenate' };

export type Op =
  | DenseOp
  | ConvolutionOp
  | DepthwiseOp
  | PointwiseOp
  | NormalizationOp
  | PlacementOp
  | CombinationOp;

/** In place of an operation, the latents. */
export const LATENTS = -1;

/** An operation, where its inputs come from, and in what shape it sees them. */
export interface OpNode {
  op: Op;
  /** Places of operations, or {@link LATENTS}. */
  inputs: readonly number[];
  inputShapes: readonly ImageShape[];
}

/** Operations in their order; the last one gives the images. */
export interface InferenceGraph {
  nodes: readonly OpNode[];
  output: ImageShape;
}

/**
 * The Dense layer that a generator begins with, with what is folded into it. A mapping network, from a latent to
 * one of as many numbers, is passed over.
 * @returns undefined where it begins otherwise.
 */
export function firstDense({ nodes }: InferenceGraph): DenseOp | undefined {
  const dense: DenseOp[] = [];
  for (const { op } of nodes) {
    if (op.type !== 'dense') break;
    dense.push(op);
  }
  const [latentSize] = dense[0]?.kernel.shape ?? [];
  return dense.findLast(({ kernel: { shape } }) => shape[0] === latentSize);
}
