/**
 * Batch normalization folded into the convolutions around it, on the host.
 *
 * @module
 */
import type { PlacedLayer } from './network.ts';
import { exchangeChannels } from './transposed.ts';
import { decodeWeight, type HostWeight, type HostWeights } from './weights.ts';

/** Batch normalization of one layer, per channel: y = scale · x + shift. */
export interface Affine {
  scale: Float32Array;
  shift: Float32Array;
}

export interface FoldedConvolution {
  /** `[size, size, channelsIn, channelsOut]` */
  kernel: Float32Array;
  kernelShape: [number, number, number, number];
  bias: Float32Array;
}

/** Shift is divided by scale, so a scale nearer to zero is raised to this. */
const SMALLEST_SCALE = 1e-6;

/** Normalization on moving statistics: scale = γ / √(variance + ε), shift = β − mean · scale. */
export function affineOf({ name, layer }: PlacedLayer, weights: HostWeights): Affine {
  if (layer.type !== 'batchNormalization') throw new Error(`${name} is no batch normalization`);
  const read = (weight: string) => decodeWeight(weightOf(weights, `${name}/${weight}`));
  const variance = read('moving_variance');
  const mean = read('moving_mean');
  const beta = read('beta');
  const scale = read('gamma').map((gamma, c) => {
    const value = gamma / Math.sqrt(variance[c]! + layer.epsilon);
    return Math.abs(value) < SMALLEST_SCALE ? SMALLEST_SCALE : value;
  });
  return { scale, shift: beta.map((value, c) => value - mean[c]! * scale[c]!) };
}

/**
 * The kernel and bias of a convolution, a transposed one with its channel axes in the order of a
 * plain one.
 * @param before normalization before it, whose scale goes into the kernel (not the shift).
 */
export function foldConvolution(
  { name, layer, weights: specs }: PlacedLayer,
  weights: HostWeights,
  before: Affine | undefined,
): FoldedConvolution {
  let kernelShape = specs[0]!.shape as [number, number, number, number];
  let kernel: Float32Array = decodeWeight(weightOf(weights, `${name}/kernel`)).slice();
  if (layer.type === 'conv2dTranspose') {
    kernel = exchangeChannels(kernel, kernelShape);
    const [rows, columns, channelsOut, channelsIn] = kernelShape;
    kernelShape = [rows, columns, channelsIn, channelsOut];
  }
  const [, , channelsIn, channelsOut] = kernelShape;
  if (before) {
    for (let i = 0; i < kernel.length; i++) {
      kernel[i]! *= before.scale[Math.floor(i / channelsOut) % channelsIn]!;
    }
  }
  const bias = decodeWeight(weightOf(weights, `${name}/bias`)).slice();
  return { kernel, kernelShape, bias };
}

/** Batch normalization directly after a convolution, into its kernel and bias. */
export function foldAfter({ kernel, bias }: FoldedConvolution, { scale, shift }: Affine): void {
  for (let i = 0; i < kernel.length; i++) kernel[i]! *= scale[i % bias.length]!;
  for (let c = 0; c < bias.length; c++) bias[c] = bias[c]! * scale[c]! + shift[c]!;
}

/** @throws Error naming the weight that is missing. */
export function weightOf(weights: HostWeights, name: string): HostWeight {
  const weight = weights.get(name);
  if (!weight) throw new Error(`the weight ${name} is missing`);
  return weight;
}
