/**
 * The generator made ready for serving: tfjs-core only, on whatever backend is current.
 *
 * - The Dense layer, 98 % of the article's weights, is multiplied on the host straight from its
 *   stored encoding: it never exists as float32, and never in the backend's memory.
 * - Upsampling and the convolution after it are one step (phases.ts).
 * - Batch normalization, y = scale · x + shift, is gone: directly after a convolution it goes into
 *   that kernel and bias; elsewhere its scale goes into the next kernel, and shift / scale is one
 *   addition before it, so that the zeros of the padding stay zeros.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { activateOnHost, denseOnHost } from './dense.ts';
import type { Activation } from './layers.ts';
import type { Network, PlacedLayer } from './network.ts';
import { interleavePhases, phaseKernels, phasePadding } from './phases.ts';
import { decodeWeight, type HostWeight, type HostWeights } from './weights.ts';

export interface InferenceGenerator {
  latentSize: number;
  /** `[height, width, channels]` of one image. */
  imageShape: readonly [number, number, number];
  /**
   * @param latents `[count, latentSize]`, flat
   * @returns `[count, height, width, channels]` in [-1, 1]; the caller disposes of it.
   */
  generate(latents: Float32Array, count: number): tf.Tensor4D;
  /** Frees the kernels in the backend's memory. */
  dispose(): void;
}

/** Batch normalization of one layer, per channel: y = scale · x + shift. */
interface Affine {
  scale: Float32Array;
  shift: Float32Array;
}

/** What tfjs's fused convolution can end with. */
type FusedActivation = Exclude<Activation, 'tanh'>;

type HostStep = (values: Float32Array) => void;
type Step = (x: tf.Tensor4D) => tf.Tensor4D;

/** Shift is divided by scale, so a scale nearer to zero is raised to this. */
const SMALLEST_SCALE = 1e-6;

/**
 * Compiles a generator that begins with Dense and Reshape.
 * @throws Error naming the layer that the inference graph has no step for, or the missing weight.
 */
export function compileGenerator(network: Network, weights: HostWeights): InferenceGenerator {
  const [first, second] = network.layers;
  if (first?.layer.type !== 'dense' || second?.layer.type !== 'reshape') {
    throw new Error('a generator must begin with a dense layer and a reshape to an image');
  }
  const kernel = weightOf(weights, `${first.name}/kernel`);
  const bias = decodeWeight(weightOf(weights, `${first.name}/bias`));
  const hostSteps: HostStep[] = [];
  if (first.layer.activation) hostSteps.push(hostActivation(first.layer.activation));
  const { steps, kept } = compileImageLayers(network.layers.slice(2), weights, hostSteps);

  const imageShape = network.outputShape as [number, number, number];
  const startShape = second.outputShape as [number, number, number];
  return {
    latentSize: network.inputShape[0]!,
    imageShape,
    generate(latents, count) {
      const values = denseOnHost({ latents, count, kernel, bias });
      for (const step of hostSteps) step(values);
      return tf.tidy(() =>
        steps.reduce((x, step) => step(x), tf.tensor4d(values, [count, ...startShape])),
      );
    },
    dispose() {
      tf.dispose(kept);
    },
  };
}

/**
 * @param hostSteps takes what can still be done on the host, before the first convolution.
 * @returns the steps on the backend, and the tensors they hold on to.
 */
function compileImageLayers(
  layers: readonly PlacedLayer[],
  weights: HostWeights,
  hostSteps: HostStep[],
): { steps: Step[]; kept: tf.Tensor[] } {
  const steps: Step[] = [];
  const kept: tf.Tensor[] = [];
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    kept.push(tensor);
    return tensor;
  };
  let pending: Affine | undefined;
  let upsampled = false;

  const addShift = ({ scale, shift }: Affine) => {
    const ratio = shift.map((value, i) => value / scale[i]!);
    if (steps.length === 0) return void hostSteps.push(hostShift(ratio));
    const tensor = keep(tf.tensor1d(ratio));
    steps.push((x) => tf.add(x, tensor));
  };

  for (let i = 0; i < layers.length; i++) {
    const placed = layers[i]!;
    const { layer } = placed;
    switch (layer.type) {
      case 'dropout':
        break; // does nothing outside training
      case 'batchNormalization':
        if (pending) throw unsupported(placed, 'two batch normalizations in a row');
        pending = affineOf(placed, layer.epsilon, weights);
        break;
      case 'upSampling2d':
        if (upsampled) throw unsupported(placed, 'two upsamplings in a row');
        upsampled = true; // pointwise operations may pass it: equal pixels stay equal
        break;
      case 'conv2d': {
        if (pending) addShift(pending);
        const conv = foldConvolution(placed, weights, pending);
        pending = undefined;
        if (layers[i + 1]?.layer.type === 'batchNormalization') {
          foldAfter(conv, affineOf(layers[++i]!, epsilonOf(layers[i]!), weights));
        }
        const activation = fusedActivation(layers[i + 1]);
        if (activation) i++;
        steps.push(
          convolutionStep({
            ...conv,
            strides: layer.strides,
            upsampled,
            keep,
            activation,
          }),
        );
        upsampled = false;
        break;
      }
      case 'activation':
        if (upsampled)
          throw unsupported(placed, 'an activation between upsampling and convolution');
        if (steps.length === 0) {
          if (pending) hostSteps.push(hostAffine(pending));
          pending = undefined;
          hostSteps.push(hostActivation(layer.activation));
          break;
        }
        if (pending) throw unsupported(placed, 'an activation after normalization');
        steps.push(ACTIVATIONS[layer.activation]);
        break;
      default:
        throw unsupported(placed, `no inference step for ${layer.type}`);
    }
  }
  if (pending || upsampled) throw new Error('a generator must end with a convolution');
  return { steps, kept };
}

interface FoldedConvolution {
  /** `[size, size, channelsIn, channelsOut]` */
  kernel: Float32Array;
  kernelShape: [number, number, number, number];
  bias: Float32Array;
}

function foldConvolution(
  { name, weights: specs }: PlacedLayer,
  weights: HostWeights,
  before: Affine | undefined,
): FoldedConvolution {
  const kernelShape = specs[0]!.shape as [number, number, number, number];
  const [, , channelsIn, channelsOut] = kernelShape;
  const kernel = decodeWeight(weightOf(weights, `${name}/kernel`)).slice();
  if (before) {
    for (let i = 0; i < kernel.length; i++) {
      kernel[i]! *= before.scale[Math.floor(i / channelsOut) % channelsIn]!;
    }
  }
  const bias = decodeWeight(weightOf(weights, `${name}/bias`)).slice();
  return { kernel, kernelShape, bias };
}

/** Batch normalization directly after a convolution, into its kernel and bias. */
function foldAfter({ kernel, bias }: FoldedConvolution, { scale, shift }: Affine): void {
  for (let i = 0; i < kernel.length; i++) kernel[i]! *= scale[i % bias.length]!;
  for (let c = 0; c < bias.length; c++) bias[c] = bias[c]! * scale[c]! + shift[c]!;
}

function convolutionStep({
  kernel,
  kernelShape,
  bias,
  strides,
  upsampled,
  activation,
  keep,
}: FoldedConvolution & {
  strides: number;
  upsampled: boolean;
  activation: FusedActivation | undefined;
  keep: <T extends tf.Tensor>(tensor: T) => T;
}): Step {
  const biasTensor = keep(tf.tensor1d(bias));
  const filter = tf.tensor4d(kernel, kernelShape);
  const convolve = (
    x: tf.Tensor4D,
    kernel: tf.Tensor4D,
    pad: 'same' | tf.backend_util.ExplicitPadding,
  ) =>
    tf.fused.conv2d({
      x,
      filter: kernel,
      strides,
      pad,
      bias: biasTensor,
      ...(activation ? { activation } : {}),
    });
  if (!upsampled) {
    keep(filter);
    return (x) => convolve(x, filter, 'same');
  }
  if (kernelShape[0] !== 3 || strides !== 1) {
    throw new Error('after upsampling only 3×3 convolutions of stride 1 are known');
  }
  const phases = phaseKernels(filter).map(keep);
  filter.dispose();
  return (x) =>
    interleavePhases(phases.map((phase, index) => convolve(x, phase, phasePadding(index))));
}

const ACTIVATIONS: Record<Activation, Step> = {
  relu: (x) => tf.relu(x),
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
};

function fusedActivation(placed: PlacedLayer | undefined): FusedActivation | undefined {
  if (placed?.layer.type !== 'activation' || placed.layer.activation === 'tanh') return undefined;
  return placed.layer.activation;
}

function epsilonOf({ layer }: PlacedLayer): number {
  return layer.type === 'batchNormalization' ? layer.epsilon : 0;
}

/** Normalization on moving statistics: scale = γ / √(variance + ε), shift = β − mean · scale. */
function affineOf({ name }: PlacedLayer, epsilon: number, weights: HostWeights): Affine {
  const read = (weight: string) => decodeWeight(weightOf(weights, `${name}/${weight}`));
  const variance = read('moving_variance');
  const mean = read('moving_mean');
  const beta = read('beta');
  const scale = read('gamma').map((gamma, c) => {
    const value = gamma / Math.sqrt(variance[c]! + epsilon);
    return Math.abs(value) < SMALLEST_SCALE ? SMALLEST_SCALE : value;
  });
  return { scale, shift: beta.map((value, c) => value - mean[c]! * scale[c]!) };
}

function hostActivation(activation: Activation): HostStep {
  return (values) => activateOnHost(values, activation);
}

function hostAffine({ scale, shift }: Affine): HostStep {
  const channels = scale.length;
  return (values) => {
    for (let i = 0; i < values.length; i++) {
      const channel = i % channels;
      values[i] = values[i]! * scale[channel]! + shift[channel]!;
    }
  };
}

function hostShift(shift: Float32Array): HostStep {
  const channels = shift.length;
  return (values) => {
    for (let i = 0; i < values.length; i++) values[i]! += shift[i % channels]!;
  };
}

function weightOf(weights: HostWeights, name: string): HostWeight {
  const weight = weights.get(name);
  if (!weight) throw new Error(`the weight ${name} is missing`);
  return weight;
}

function unsupported({ name }: PlacedLayer, reason: string): Error {
  return new Error(`the generator's layer ${name} cannot be served: ${reason}`);
}
