import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '../networks/layers.ts';
import type { Network, PlacedLayer } from '../networks/network.ts';
import { interleavePhases } from '../networks/phases.ts';
import { addBias, batchNormTrain, upsampleConv2d } from './kernels.ts';

/** Weights of a network on the backend, by name (`conv2d_1/kernel`). */
export type NetworkWeights = ReadonlyMap<string, tf.Tensor>;

/** Statistics of the batch that each normalization saw, by layer name. */
export type BatchStatistics = Map<string, { mean: tf.Tensor1D; variance: tf.Tensor1D }>;

/**
 * How a network is run. Training normalizes with the statistics of the batch and drops out;
 * inference uses the moving statistics and drops nothing. Every call states which of the two.
 */
export type Mode =
  | { training: false }
  | {
      training: true;
      /** The mask of a dropout layer: 0 or 1 / (1 − rate), of the shape of its input. */
      dropoutMask: (layer: string, shape: readonly number[], rate: number) => tf.Tensor;
      /** Filled with what each batch normalization saw; the caller disposes of it. */
      statistics?: BatchStatistics;
    };

const ACTIVATIONS: Record<Activation, (x: tf.Tensor) => tf.Tensor> = {
  relu: tf.relu,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
};

/**
 * Runs a network layer by layer, as written.
 *
 * @param x `[batch, ...network.inputShape]`
 * @param mode see {@link Mode}; moving statistics are never changed here.
 * @returns `[batch, ...network.outputShape]`
 */
export function applyNetwork(
  network: Network,
  weights: NetworkWeights,
  x: tf.Tensor,
  mode: Mode,
): tf.Tensor {
  return applyLayers(network.layers, weights, x, mode);
}

/**
 * Like {@link applyNetwork}, but without the sigmoid at the end: the logits.
 * @throws Error when the network does not end with a sigmoid.
 */
export function applyToLogits(
  network: Network,
  weights: NetworkWeights,
  x: tf.Tensor,
  mode: Mode,
): tf.Tensor {
  return applyLayers(layersBefore('sigmoid', network), weights, x, mode);
}

/**
 * Like {@link applyNetwork}, but without the tanh at the end, which beyond ±4 no longer has a slope.
 * @throws Error when the network does not end with a tanh.
 */
export function applyBeforeTanh(
  network: Network,
  weights: NetworkWeights,
  x: tf.Tensor,
  mode: Mode,
): tf.Tensor {
  return applyLayers(layersBefore('tanh', network), weights, x, mode);
}

function layersBefore(activation: Activation, { name, layers }: Network): PlacedLayer[] {
  const last = layers.at(-1)?.layer;
  if (last?.type !== 'activation' || last.activation !== activation) {
    throw new Error(`the ${name} does not end with a ${activation}`);
  }
  return layers.slice(0, -1);
}

/** Like {@link applyNetwork}, for some of its layers, one after the other. */
export function applyLayers(
  layers: readonly PlacedLayer[],
  weights: NetworkWeights,
  input: tf.Tensor,
  mode: Mode,
): tf.Tensor {
  let x = input;
  for (let i = 0; i < layers.length; i++) {
    const upsampled = layers[i]!.layer.type === 'upSampling2d' && isPlainConvolution(layers[i + 1]);
    const placed = layers[upsampled ? ++i : i]!;
    const slope = takesActivation(placed, mode) ? slopeOf(layers[i + 1]) : undefined;
    if (slope !== undefined) i++;
    x = upsampled
      ? applyUpsampled(placed, weights, x as tf.Tensor4D, slope)
      : applyLayer(placed, weights, x, { mode, slope });
  }
  return x;
}

const isPlainConvolution = (placed: PlacedLayer | undefined): placed is PlacedLayer =>
  placed?.layer.type === 'conv2d' && placed.layer.kernelSize === 3 && placed.layer.strides === 1;

/** Whether the activation after a layer can be computed with it, see {@link addBias}. */
const takesActivation = ({ layer }: PlacedLayer, { training }: Mode): boolean =>
  layer.type === 'conv2d' || (layer.type === 'batchNormalization' && training);

/** Below 0, of an activation that another layer can take; undefined of all else. */
function slopeOf(placed: PlacedLayer | undefined): number | undefined {
  if (placed?.layer.type === 'leakyRelu') return placed.layer.alpha;
  return placed?.layer.type === 'activation' && placed.layer.activation === 'relu' ? 0 : undefined;
}

function kernelAndBias({ name }: PlacedLayer, weights: NetworkWeights) {
  return { kernel: weightOf(weights, `${name}/kernel`), bias: weightOf(weights, `${name}/bias`) };
}

/** A convolution of the upsampled x. */
function applyUpsampled(
  convolution: PlacedLayer,
  weights: NetworkWeights,
  x: tf.Tensor4D,
  slope: number | undefined,
): tf.Tensor {
  const { kernel, bias } = kernelAndBias(convolution, weights);
  return addBias(upsampleConv2d(x, kernel as tf.Tensor4D), bias, slope);
}

/** @param options.slope of the activation after it, where it {@link takesActivation}. */
function applyLayer(
  placed: PlacedLayer,
  weights: NetworkWeights,
  x: tf.Tensor,
  { mode, slope }: { mode: Mode; slope: number | undefined },
): tf.Tensor {
  const { layer, name } = placed;
  switch (layer.type) {
    case 'dense': {
      const { kernel, bias } = kernelAndBias(placed, weights);
      const y = tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
      if (layer.activation === 'relu') return addBias(y, bias, 0);
      return layer.activation ? ACTIVATIONS[layer.activation](tf.add(y, bias)) : tf.add(y, bias);
    }
    case 'reshape':
    case 'flatten':
      return tf.reshape(x, [x.shape[0]!, ...placed.outputShape]);
    case 'conv2d': {
      const { kernel, bias } = kernelAndBias(placed, weights);
      const y = tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, layer.strides, 'same');
      return addBias(y, bias, slope);
    }
    case 'conv2dTranspose': {
      const { kernel, bias } = kernelAndBias(placed, weights);
      const shape: [number, number, number, number] = [
        x.shape[0]!,
        ...(placed.outputShape as [number, number, number]),
      ];
      const y = tf.conv2dTranspose(
        x as tf.Tensor4D,
        kernel as tf.Tensor4D,
        shape,
        layer.strides,
        'same',
      );
      return tf.add(y, bias);
    }
    case 'upSampling2d':
      return interleavePhases([x, x, x, x] as tf.Tensor4D[]);
    case 'zeroPadding2d':
      return tf.pad(x, [
        [0, 0],
        ...layer.padding.map((side): [number, number] => [...side]),
        [0, 0],
      ]);
    case 'batchNormalization':
      return normalize(name, weights, x as tf.Tensor4D, { mode, epsilon: layer.epsilon, slope });
    case 'activation':
      return ACTIVATIONS[layer.activation](x);
    case 'leakyRelu':
      return tf.leakyRelu(x, layer.alpha);
    case 'dropout':
      if (!mode.training || layer.rate === 0) return x;
      return tf.mul(x, mode.dropoutMask(name, x.shape, layer.rate));
    case 'minibatchDeviation':
      return appendMinibatchDeviation(x as tf.Tensor4D);
    default:
      throw new Error(`the layer ${name} is served, not trained`);
  }
}

/** `[n, height, width, channels]` → `[n, height, width, 2 · channels]`. */
function appendMinibatchDeviation(x: tf.Tensor4D): tf.Tensor4D {
  const centred = tf.sub(x, tf.mean(x, 0, true));
  // Away from zero the square root has a gradient.
  const deviation = tf.sqrt(tf.add(tf.mean(tf.square(centred), 0), 1e-8));
  // Not tf.tile: tfjs takes its gradient by one slice and one addition for each place.
  const everywhere = tf.mul(tf.ones(x.shape), tf.mean(deviation, [0, 1]));
  return tf.concat([x, everywhere as tf.Tensor4D], 3);
}

function normalize(
  name: string,
  weights: NetworkWeights,
  x: tf.Tensor4D,
  { mode, epsilon, slope }: { mode: Mode; epsilon: number; slope: number | undefined },
): tf.Tensor {
  const gamma = weightOf(weights, `${name}/gamma`) as tf.Tensor1D;
  const beta = weightOf(weights, `${name}/beta`) as tf.Tensor1D;
  if (mode.training) {
    const { y, mean, variance } = batchNormTrain(x, gamma, beta, { epsilon, slope });
    mode.statistics?.set(name, { mean: tf.keep(mean), variance: tf.keep(variance) });
    return y;
  }
  const mean = weightOf(weights, `${name}/moving_mean`) as tf.Tensor1D;
  const variance = weightOf(weights, `${name}/moving_variance`) as tf.Tensor1D;
  return tf.batchNorm(x, mean, variance, beta, gamma, epsilon);
}

function weightOf(weights: NetworkWeights, name: string): tf.Tensor {
  const weight = weights.get(name);
  if (!weight) throw new Error(`the weight ${name} is missing`);
  return weight;
}
