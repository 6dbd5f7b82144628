/**
 * Batch normalization folded into the convolutions around it, on the host.
 *
 * @module
 */

import { decodeWeight, type HostWeight, type HostWeights } from '../generator-file/weights.ts';
import type { PlacedLayer } from '../networks/network.ts';
import { exchangeChannels } from '../networks/transposed.ts';

/** Batch normalization of one layer, per channel: y = scale · x + shift. */
export interface Affine {
  scale: Float32Array;
  shift: Float32Array;
}

export interface FoldedConvolution {
  /**
   * `[size, size, channelsIn, channelsOut]`, made anew at each call: of all kernels as float32 only
   * the one that is being packed need be in memory.
   */
  kernel: () => Float32Array;
  kernelShape: readonly [number, number, number, number];
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
  const scale = awayFromZero(
    read('gamma').map((gamma, c) => gamma / Math.sqrt(variance[c]! + layer.epsilon)),
  );
  return { scale, shift: beta.map((value, c) => value - mean[c]! * scale[c]!) };
}

/** Scales by which a shift may be divided. */
export const awayFromZero = (scale: Float32Array): Float32Array =>
  scale.map((value) => (Math.abs(value) < SMALLEST_SCALE ? SMALLEST_SCALE : value));

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
  const stored = weightOf(weights, `${name}/kernel`);
  const storedShape = specs[0]!.shape as [number, number, number, number];
  const [rows, columns, a, b] = storedShape;
  const exchanged = layer.type === 'conv2dTranspose' || layer.type === 'croppedConv2dTranspose';
  const [channelsIn, channelsOut] = exchanged ? [b, a] : [a, b];
  const kernel = () => {
    const decoded = stored.encoding === 'float32' ? stored.values.slice() : decodeWeight(stored);
    const numbers = exchanged ? exchangeChannels(decoded, storedShape) : decoded;
    if (before) {
      for (let i = 0; i < numbers.length; i++) {
        numbers[i]! *= before.scale[Math.floor(i / channelsOut) % channelsIn]!;
      }
    }
    return numbers;
  };
  const bias = decodeWeight(weightOf(weights, `${name}/bias`)).slice();
  return { kernel, kernelShape: [rows, columns, channelsIn, channelsOut], bias };
}

/** Batch normalization directly after a convolution, into its kernel and bias. */
export function foldAfter(convolution: FoldedConvolution, { scale, shift }: Affine): void {
  const { kernel, bias } = convolution;
  convolution.kernel = () => {
    const numbers = kernel();
    for (let i = 0; i < numbers.length; i++) numbers[i]! *= scale[i % bias.length]!;
    return numbers;
  };
  for (let c = 0; c < bias.length; c++) bias[c] = bias[c]! * scale[c]! + shift[c]!;
}

/** @throws Error naming the weight that is missing. */
export function weightOf(weights: HostWeights, name: string): HostWeight {
  const weight = weights.get(name);
  if (!weight) throw new Error(`the weight ${name} is missing`);
  return weight;
}
