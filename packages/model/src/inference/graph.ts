/**
 * The generator as a short list of operations, the same for every backend:
 *
 * - Upsampling and the convolution after it are one.
 * - Batch normalization, y = scale · x + shift, is gone. Directly after a convolution or the Dense
 *   layer it goes into their numbers. Before a convolution its scale goes into the kernel, and
 *   shift / scale is added to what comes before, so that the zeros of the padding stay zeros.
 * - An activation, and then such an addition, are done where the sums are made.
 *
 * @module
 */

import { decodeWeight, type HostWeight, type HostWeights } from '../generator-file/weights.ts';
import type { Activation } from '../networks/layers.ts';
import type { Network, PlacedLayer } from '../networks/network.ts';
import {
  type Affine,
  affineOf,
  type FoldedConvolution,
  foldAfter,
  foldConvolution,
  weightOf,
} from './fold.ts';

/** `[height, width, channels]` */
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
  /** `[channels]` */
  after?: Float32Array;
}

/** y = finish(scale · (latent · kernel) + bias), seen as an image. */
export interface DenseOp {
  type: 'dense';
  /** `[latent, units]`, as it is stored. */
  kernel: HostWeight;
  /** `[units]` */
  scale: Float32Array | undefined;
  /** `[units]` */
  bias: Float32Array;
  finish: Finish;
  output: ImageShape;
}

/** A convolution with `same` padding; `upsampled` doubles the image first, `transposed` is Keras's Conv2DTranspose. */
export interface ConvolutionOp extends FoldedConvolution {
  type: 'convolution';
  kind: 'plain' | 'upsampled' | 'transposed';
  strides: number;
  arithmetic: Arithmetic;
  finish: Finish;
  /** Before the upsampling, if there is one. */
  input: ImageShape;
  output: ImageShape;
}

/** On each number by itself; an affine map is by channel. */
export type PointwiseOp =
  | { type: 'activation'; activation: Activation }
  | { type: 'leakyRelu'; alpha: number }
  | { type: 'affine'; scale: Float32Array | undefined; shift: Float32Array };

/** Nearest-neighbour 2× by itself. */
export interface UpsampleOp {
  type: 'upsample';
}

/** What makes images of images. */
export type ImageOp = ConvolutionOp | PointwiseOp | UpsampleOp;

/** A generator: Dense, then the rest. */
export interface InferenceGraph {
  dense: DenseOp;
  ops: ImageOp[];
}

/**
 * Reads a generator that begins with Dense and, on the way to the first convolution, Reshape.
 * @throws Error naming the layer that no operation does, or the missing weight.
 */
export function inferenceGraph(
  network: Network,
  weights: HostWeights,
  arithmetic: Arithmetic = 'float32',
): InferenceGraph {
  const [first, ...others] = network.layers;
  if (first?.layer.type !== 'dense') throw new Error('a generator must begin with a dense layer');
  const reader = new LayerReader(
    weights,
    {
      type: 'dense',
      kernel: weightOf(weights, `${first.name}/kernel`),
      scale: undefined,
      bias: decodeWeight(weightOf(weights, `${first.name}/bias`)).slice(),
      finish: {},
    },
    arithmetic,
  );
  if (first.layer.activation) reader.activate(first.layer.activation);
  for (const placed of others) reader.add(placed);
  return reader.finish();
}

/** Before the reshape is met. */
type UnplacedDense = Omit<DenseOp, 'output'>;

/** Turns layers into operations, one after the other, each as far into the one before as it goes. */
class LayerReader {
  private readonly ops: ImageOp[] = [];
  /** The shape at the reshape, where the Dense layer's numbers become an image. */
  private start: ImageShape | undefined;
  /** A normalization that has not found its convolution yet. */
  private pending: Affine | undefined;
  /** An upsampling put off: pointwise operations may pass it, as equal pixels stay equal. */
  private upsampled = false;
  private readonly arithmetic: Arithmetic;
  private readonly weights: HostWeights;
  private readonly dense: UnplacedDense;

  constructor(weights: HostWeights, dense: UnplacedDense, arithmetic: Arithmetic) {
    this.arithmetic = arithmetic;
    this.weights = weights;
    this.dense = dense;
  }

  add(placed: PlacedLayer): void {
    const { layer } = placed;
    switch (layer.type) {
      case 'dropout':
        break; // does nothing outside training
      case 'reshape':
        this.reshape(placed);
        break;
      case 'batchNormalization':
        this.normalizeNow();
        this.pending = affineOf(placed, this.weights);
        break;
      case 'activation':
        this.activate(layer.activation);
        break;
      case 'leakyRelu':
        this.normalizeNow();
        this.ops.push({ type: 'leakyRelu', alpha: layer.alpha });
        break;
      case 'upSampling2d':
        this.upsampleNow();
        this.upsampled = true;
        break;
      case 'conv2d':
      case 'conv2dTranspose':
        this.convolve(placed);
        break;
      default:
        throw unsupported(placed, `no inference step for ${layer.type}`);
    }
  }

  activate(activation: Activation): void {
    this.normalizeNow();
    const finish = this.open();
    if (finish && !finish.activation) finish.activation = activation;
    else this.ops.push({ type: 'activation', activation });
  }

  finish(): InferenceGraph {
    this.normalizeNow();
    this.upsampleNow();
    if (!this.start) throw new Error('a generator must have a reshape to an image');
    return { dense: { ...this.dense, output: this.start }, ops: this.ops };
  }

  private reshape(placed: PlacedLayer): void {
    const begun = this.ops.some(({ type }) => type === 'convolution' || type === 'upsample');
    if (begun || this.upsampled) {
      throw unsupported(placed, 'a reshape after the first upsampling or convolution');
    }
    this.normalizeNow();
    this.start = placed.outputShape as unknown as ImageShape;
  }

  private convolve(placed: PlacedLayer): void {
    const { layer } = placed;
    if (layer.type !== 'conv2d' && layer.type !== 'conv2dTranspose') return;
    if (this.pending) this.addShift(this.pending);
    const folded = foldConvolution(placed, this.weights, this.pending);
    this.pending = undefined;
    const fits = layer.type === 'conv2d' && layer.kernelSize === 3 && layer.strides === 1;
    const kind = layer.type === 'conv2dTranspose' ? 'transposed' : 'plain';
    if (!fits) this.upsampleNow();
    const [height, width, channels] = placed.inputShape as unknown as ImageShape;
    this.ops.push({
      type: 'convolution',
      kind: this.upsampled ? 'upsampled' : kind,
      strides: layer.strides,
      arithmetic: this.arithmetic,
      ...folded,
      finish: {},
      input: this.upsampled ? [height / 2, width / 2, channels] : [height, width, channels],
      output: placed.outputShape as unknown as ImageShape,
    });
    this.upsampled = false;
  }

  private last(): ImageOp | UnplacedDense {
    return this.ops.at(-1) ?? this.dense;
  }

  /** The end of the last operation, if it makes sums and more can be done to them. */
  private open(): Finish | undefined {
    const last = this.last();
    if (last.type !== 'convolution' && last.type !== 'dense') return undefined;
    return last.finish.after ? undefined : last.finish;
  }

  private normalizeNow(): void {
    if (this.pending) this.applyAffine(this.pending);
    this.pending = undefined;
  }

  /** Normalization as it stands: into the sums, if nothing has been done to them yet. */
  private applyAffine(affine: Affine): void {
    const last = this.last();
    const fresh = this.open();
    if (!fresh || fresh.activation) this.ops.push({ type: 'affine', ...affine });
    else if (last.type === 'convolution') foldAfter(last, affine);
    else scaleUnits(this.dense, affine);
  }

  /** What is left of a normalization whose scale is in the kernel after it. */
  private addShift({ scale, shift }: Affine): void {
    const ratio = shift.map((value, i) => value / scale[i]!);
    const finish = this.open();
    if (finish) finish.after = ratio;
    else this.ops.push({ type: 'affine', scale: undefined, shift: ratio });
  }

  private upsampleNow(): void {
    if (this.upsampled) this.ops.push({ type: 'upsample' });
    this.upsampled = false;
  }
}

/** Normalization by channel into the Dense layer; a normalization before Reshape has a channel for each unit. */
function scaleUnits(dense: UnplacedDense, { scale, shift }: Affine): void {
  const before = dense.scale;
  dense.scale = dense.bias.map((_, i) => (before?.[i] ?? 1) * scale[i % scale.length]!);
  dense.bias = dense.bias.map(
    (value, i) => value * scale[i % scale.length]! + shift[i % shift.length]!,
  );
}

function unsupported({ name }: PlacedLayer, reason: string): Error {
  return new Error(`the generator's layer ${name} cannot be served: ${reason}`);
}
