/**
 * Operations on each number by itself, and normalizations over parts of an image, by tfjs.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '../networks/layers.ts';
import type { ElementwiseFunction } from '../networks/served-layers.ts';
import type { NormalizationOp, PointwiseOp } from './graph.ts';
import type { Keep, Step } from './step.ts';

export const ACTIVATIONS: Record<Activation, Step> = {
  relu: (x) => tf.relu(x),
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
};

export function pointwise(op: PointwiseOp, keep: Keep): Step {
  switch (op.type) {
    case 'activation':
      return ACTIVATIONS[op.activation];
    case 'leakyRelu':
      return (x) => tf.leakyRelu(x, op.alpha);
    case 'affine':
      return affine(op, keep);
    case 'rescaling':
      return (x) => tf.add(tf.mul(x, op.scale), op.offset);
    case 'elementwise':
      return elementwise(op);
    case 'pRelu': {
      const alpha = keep(tf.tensor4d(op.alpha, [1, ...op.shape]));
      return (x) => tf.prelu(x, alpha);
    }
  }
}

/** scale · x + shift, by channel. */
export function affine(
  { scale, shift }: { scale: Float32Array | undefined; shift: Float32Array },
  keep: Keep,
): Step {
  const [a, b] = [scale && keep(tf.tensor1d(scale)), keep(tf.tensor1d(shift))];
  return (x) => tf.add(a ? tf.mul(x, a) : x, b);
}

/** √(2 / π), of GELU's approximation (Hendrycks & Gimpel 2016, arXiv:1606.08415). */
const GELU_SCALE = Math.sqrt(2 / Math.PI);

function elementwise(op: ElementwiseFunction): Step {
  switch (op.function) {
    case 'elu':
      // α · (eˣ − 1) below zero.
      return (x) => tf.add(tf.relu(x), tf.mul(tf.expm1(tf.minimum(x, 0)), op.alpha));
    case 'selu':
      return (x) => tf.selu(x);
    case 'silu':
      return (x) => tf.mul(x, tf.sigmoid(x));
    case 'hardSilu':
      return (x) => tf.mul(x, hardSigmoid(x, 1 / 6, 0.5));
    case 'hardSigmoid':
      return (x) => hardSigmoid(x, op.slope, op.offset);
    case 'gelu':
      return (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
    case 'geluTanh':
      return (x) => {
        const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), GELU_SCALE);
        return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
      };
    case 'softplus':
      return (x) => softplus(x);
    case 'softsign':
      return (x) => tf.div(x, tf.add(tf.abs(x), 1));
    case 'mish':
      return (x) => tf.mul(x, tf.tanh(softplus(x)));
    case 'exp':
      return (x) => tf.exp(x);
    case 'erf':
      return (x) => tf.erf(x);
    case 'clip':
      return (x) => tf.clipByValue(x, op.low, op.high);
  }
}

const hardSigmoid = (x: tf.Tensor4D, slope: number, offset: number): tf.Tensor4D =>
  tf.clipByValue(tf.add(tf.mul(x, slope), offset), 0, 1);

/** log(1 + eˣ), without overflow. */
const softplus = (x: tf.Tensor4D): tf.Tensor4D =>
  tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));

/** (x − mean) / √(variance + ε) of each group; scale and shift are operations of their own. */
export function normalization(op: NormalizationOp): Step {
  return (x) => {
    const [batch, height, width, channels] = x.shape;
    const places = height * width;
    const layerwise = op.type === 'layerNormalization';
    const groups = layerwise ? 1 : op.groups;
    const grouped = tf.reshape(x, [batch, places, groups, channels / groups]);
    const { mean, variance } = tf.moments(grouped, layerwise ? [3] : [1, 3], true);
    const centred = tf.sub(grouped, mean);
    const scaled = tf.mul(centred, tf.rsqrt(tf.add(variance, op.epsilon)));
    return tf.reshape(scaled, [batch, height, width, channels]);
  };
}
