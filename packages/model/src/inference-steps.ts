/**
 * The steps that the inference graph is made of.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Affine, FoldedConvolution } from './fold.ts';
import type { Activation } from './layers.ts';
import { interleavePhases, phaseKernels, phasePadding } from './phases.ts';
import { transposedPhases } from './transposed.ts';

/** Changes the numbers in place. */
export type HostStep = (values: Float32Array) => void;
export type Step = (x: tf.Tensor4D) => tf.Tensor4D;

/** Marks a tensor to be freed with the generator. */
export type Keep = <T extends tf.Tensor>(tensor: T) => T;

/** One operation on each number by itself, for either side. */
export interface Pointwise {
  host: HostStep;
  device: (keep: Keep) => Step;
}

/** What tfjs's fused convolution can end with. */
export type FusedActivation = Exclude<Activation, 'tanh'>;

export const DEVICE_ACTIVATIONS: Record<Activation, Step> = {
  relu: (x) => tf.relu(x),
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
};

/** x where x > 0, else alpha · x. */
export function leakyReluOnHost(alpha: number): HostStep {
  return (values) => {
    for (let i = 0; i < values.length; i++) if (values[i]! < 0) values[i]! *= alpha;
  };
}

/** Normalization as it stands: scale · x + shift. */
export function applyAffine({ scale, shift }: Affine): Pointwise {
  return {
    host: (values) => {
      for (let i = 0; i < values.length; i++) {
        const channel = i % scale.length;
        values[i] = values[i]! * scale[channel]! + shift[channel]!;
      }
    },
    device: (keep) => {
      const [a, b] = [keep(tf.tensor1d(scale)), keep(tf.tensor1d(shift))];
      return (x) => tf.add(tf.mul(x, a), b);
    },
  };
}

/** What is left of a normalization whose scale is in the kernel after it. */
export function addShift({ scale, shift }: Affine): Pointwise {
  const ratio = shift.map((value, i) => value / scale[i]!);
  return {
    host: (values) => {
      for (let i = 0; i < values.length; i++) values[i]! += ratio[i % ratio.length]!;
    },
    device: (keep) => {
      const tensor = keep(tf.tensor1d(ratio));
      return (x) => tf.add(x, tensor);
    },
  };
}

interface ConvolutionOptions extends FoldedConvolution {
  strides: number;
  activation: FusedActivation | undefined;
  keep: Keep;
}

/** A convolution with `same` padding. */
export function convolution({ strides, ...options }: ConvolutionOptions): Step {
  const convolve = convolver(options, strides);
  const filter = options.keep(tf.tensor4d(options.kernel, options.kernelShape));
  return (x) => convolve(x, filter, 'same');
}

/** Nearest-neighbour 2× upsampling and a 3×3 convolution of stride 1, without the upsampled image. */
export function upsampledConvolution(options: ConvolutionOptions): Step {
  const convolve = convolver(options);
  const filter = tf.tensor4d(options.kernel, options.kernelShape);
  const phases = phaseKernels(filter).map(options.keep);
  filter.dispose();
  return (x) =>
    interleavePhases(phases.map((phase, index) => convolve(x, phase, phasePadding(index))));
}

/** A transposed convolution with `same` padding, stride 1 or 2. */
export function transposedConvolution(options: ConvolutionOptions): Step {
  const convolve = convolver(options);
  const phases = transposedPhases(options.kernel, options.kernelShape, options.strides).map(
    ({ kernel, kernelShape, padding }) => ({
      filter: options.keep(tf.tensor4d(kernel, kernelShape)),
      padding,
    }),
  );
  return (x) => {
    const outputs = phases.map(({ filter, padding }) => convolve(x, filter, padding));
    return outputs.length === 1 ? outputs[0]! : interleavePhases(outputs);
  };
}

/** Nearest-neighbour 2× upsampling by itself. */
export const upsample: Step = (x) => interleavePhases([x, x, x, x]);

function convolver(
  { bias, activation, keep }: Pick<ConvolutionOptions, 'bias' | 'activation' | 'keep'>,
  strides = 1,
) {
  const biasTensor = keep(tf.tensor1d(bias));
  return (x: tf.Tensor4D, filter: tf.Tensor4D, pad: 'same' | tf.backend_util.ExplicitPadding) =>
    tf.fused.conv2d({
      x,
      filter,
      strides,
      pad,
      bias: biasTensor,
      ...(activation ? { activation } : {}),
    });
}
