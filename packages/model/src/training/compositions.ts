/**
 * The kernels of training as compositions of plain tfjs-core operations.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { interleavePhases, phaseKernels, phaseKernelsGradient } from '../networks/phases.ts';

/** Runs a kernel of the current backend. */
export function run(
  name: string,
  inputs: tf.NamedTensorMap,
  attrs: tf.NamedAttrMap = {},
): tf.Tensor[] {
  const result = tf.engine().runKernel(name, inputs, attrs);
  return Array.isArray(result) ? result : [result as tf.Tensor];
}

type Compose = (inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap) => tf.Tensor[];

/** By the name of the kernel. */
export const COMPOSITIONS: Record<string, Compose> = {
  BatchNormTrain({ x, gamma, beta }, { epsilon }) {
    const { mean, variance } = tf.moments(x!, [0, 1, 2]);
    const scale = tf.div(gamma!, tf.sqrt(tf.add(variance, epsilon as number)));
    const y = tf.add(tf.mul(tf.sub(x!, mean), scale), beta!);
    return [y, mean, variance];
  },

  // With x̂ = (x − mean) / √(variance + ε): dx = γ / √(…) · (dy − mean(dy) − x̂ · mean(dy · x̂)).
  BatchNormTrainGrad({ dy, x, gamma, mean, variance }, { epsilon }) {
    const inverse = tf.rsqrt(tf.add(variance!, epsilon as number));
    const normalized = tf.mul(tf.sub(x!, mean!), inverse);
    const dbeta = tf.sum(dy!, [0, 1, 2]);
    const dgamma = tf.sum(tf.mul(dy!, normalized), [0, 1, 2]);
    const count = x!.size / dbeta.size;
    const centred = tf.sub(dy!, tf.div(tf.add(dbeta, tf.mul(normalized, dgamma)), count));
    return [tf.mul(centred, tf.mul(gamma!, inverse)), dgamma, dbeta];
  },

  UpsampleConv2D({ x, filter }) {
    const stacked = tf.conv2d(
      padOnce(x as tf.Tensor4D),
      stackedKernel(filter as tf.Tensor4D),
      1,
      'valid',
    );
    return [interleavePhases(splitPhases(stacked, filter!.shape[3]!))];
  },

  UpsampleConv2DGrad({ dy, x, filter }) {
    const stacked = stackPhases(dy as tf.Tensor4D);
    const padded = padOnce(x as tf.Tensor4D);
    const kernel = filter as tf.Tensor4D;
    const { backprop, grad } = convolutionGradients(padded, stackedKernel(kernel), stacked);
    const [, height, width] = x!.shape as [number, number, number, number];
    const dx = tf.slice(backprop, [0, 1, 1, 0], [-1, height, width, -1]);
    const phases = tf.split(grad, 4, 3) as tf.Tensor4D[];
    return [dx, phaseKernelsGradient(phases)];
  },

  DropoutMask({ key }, { shape, rate }) {
    const words = key!.dataSync<'int32'>();
    return [
      tf.tensor(hostDropoutMask(shape as number[], rate as number, words), shape as number[]),
    ];
  },

  TranslateImages({ images, shifts }) {
    const values = shifts!.dataSync<'int32'>();
    const count = images!.shape[0]!;
    const moved = Array.from({ length: count }, (_, i) => {
      const image = tf.slice(images as tf.Tensor4D, i, 1);
      return translateImage(image, values[2 * i]!, values[2 * i + 1]!);
    });
    return [tf.concat(moved)];
  },

  CutoutMasks({ corners }, attrs) {
    const { height, width, side } = attrs as { height: number; width: number; side: number };
    const values = corners!.dataSync<'int32'>();
    const masks = hostCutoutMasks(values, { height, width, side });
    return [tf.tensor4d(masks, [values.length / 2, height, width, 1])];
  },

  MoveAverages(inputs) {
    const [share, ...tensors] = Object.values(inputs);
    const [averages, values] = partsOf(tensors, 2);
    return averages!.map((average, i) =>
      tf.add(average, tf.mul(tf.sub(values![i]!, average), share!)),
    );
  },

  AdamSteps(inputs, { longest, leastSquare, ...attrs }) {
    const [rate, ...tensors] = Object.values(inputs) as [tf.Scalar, ...tf.Tensor[]];
    const [parameters, firsts, seconds, gradients] = partsOf(tensors, 4);
    const clip = longest
      ? { rate, least: leastSquare as number, early: tf.div<tf.Scalar>(rate, longest as number) }
      : undefined;
    const steps = parameters!.map((parameter, i) => {
      const [firstMoment, secondMoment] = [firsts![i]!, seconds![i]!];
      const gradient = gradients![i]!;
      const clipped = clip && clippedRate(gradient, secondMoment, attrs.beta2 as number, clip);
      const all = { parameter, firstMoment, secondMoment, gradient, rate: clipped ?? rate };
      return run('AdamStep', all, attrs);
    });
    return [0, 1, 2].flatMap((part) => steps.map((step) => step[part]!));
  },

  AdamStep({ parameter, firstMoment, secondMoment, gradient, rate }, { beta1, beta2, epsilon }) {
    const m = tf.add(firstMoment!, tf.mul(tf.sub(gradient!, firstMoment!), 1 - (beta1 as number)));
    const v = tf.add(
      secondMoment!,
      tf.mul(tf.sub(tf.square(gradient!), secondMoment!), 1 - (beta2 as number)),
    );
    const step = tf.div(tf.mul(m, rate!), tf.add(tf.sqrt(v), epsilon as number));
    return [tf.sub(parameter!, step), m, v];
  },
};

/** Cuts a list into `count` of equal length. */
function partsOf<Part>(all: readonly Part[], count: number): Part[][] {
  const length = all.length / count;
  return Array.from({ length: count }, (_, i) => all.slice(i * length, (i + 1) * length));
}

/**
 * Adam's rate for one tensor, see `adamSteps`.
 * @param clip.early how far the rate is from the learning rate so early in training
 * @param clip.least of squares of gradients: below it a tensor has no gradient
 */
function clippedRate(
  gradient: tf.Tensor,
  second: tf.Tensor,
  beta2: number,
  clip: { rate: tf.Scalar; early: tf.Scalar; least: number },
): tf.Scalar {
  return tf.tidy(() => {
    const square = tf.square(gradient);
    const next = tf.add(tf.mul(second, beta2), tf.mul(square, 1 - beta2));
    const meanSquare = tf.mean(tf.div(square, tf.add(next, clip.least)));
    const size = tf.mul(tf.sqrt(meanSquare), clip.early);
    return tf.div<tf.Scalar>(clip.rate, tf.maximum(size, 1));
  });
}

/** `[n, h, w, c]` → `[n, h + 2, w + 2, c]`, zeros around. */
function padOnce(x: tf.Tensor4D): tf.Tensor4D {
  return tf.pad(x, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
}

/** The four phase kernels side by side on the last axis: `[2, 2, channelsIn, 4 · channelsOut]`. */
function stackedKernel(filter: tf.Tensor4D): tf.Tensor4D {
  return tf.concat(phaseKernels(filter), 3);
}

/** Where phase `index` begins in the output of the stacked convolution over the padded image. */
const phaseStart = (index: number): [number, number] => [index >> 1, index & 1];

/** `[n, h + 1, w + 1, 4c]` → four of `[n, h, w, c]`. */
function splitPhases(stacked: tf.Tensor4D, channels: number): tf.Tensor4D[] {
  const [, height, width] = stacked.shape;
  return [0, 1, 2, 3].map((index) => {
    const [top, left] = phaseStart(index);
    return tf.slice(
      stacked,
      [0, top, left, index * channels],
      [-1, height - 1, width - 1, channels],
    );
  });
}

/** The transpose of interleaving and splitting: `[n, 2h, 2w, c]` → `[n, h + 1, w + 1, 4c]`. */
function stackPhases(y: tf.Tensor4D): tf.Tensor4D {
  const [n, height, width, channels] = y.shape;
  const rows = tf.split(tf.reshape(y, [n, height / 2, 2, width * channels]), 2, 2);
  const phases = rows.flatMap((row) =>
    tf.split(tf.reshape(row, [n, height / 2, width / 2, 2 * channels]), 2, 3),
  ) as tf.Tensor4D[];
  const padded = phases.map((phase, index) => {
    const [top, left] = phaseStart(index);
    return tf.pad(phase, [
      [0, 0],
      [top, 1 - top],
      [left, 1 - left],
      [0, 0],
    ]);
  });
  return tf.concat(padded, 3);
}

/** The gradients of a valid convolution of stride 1, by the backend's own kernels. */
function convolutionGradients(x: tf.Tensor4D, filter: tf.Tensor4D, dy: tf.Tensor4D) {
  const attrs = { strides: 1, pad: 'valid', dataFormat: 'NHWC' };
  const backprop = run('Conv2DBackpropInput', { dy, filter }, { ...attrs, inputShape: x.shape });
  const grad = run('Conv2DBackpropFilter', { x, dy }, { ...attrs, filterShape: filter.shape });
  return { backprop: backprop[0] as tf.Tensor4D, grad: grad[0] as tf.Tensor4D };
}

/**
 * A mask from the host: two mask entries from each 32-bit word of an xoshiro128** stream (Blackman
 * & Vigna) whose state is the key (see {@link maskKey}). The rate is kept to 1/65536.
 */
export function hostDropoutMask(
  shape: readonly number[],
  rate: number,
  key: Int32Array,
): Float32Array {
  const size = shape.reduce((total, length) => total * length, 1);
  const mask = new Float32Array(size);
  const threshold = Math.round(rate * 65536);
  const kept = 1 / (1 - rate);
  let [a, b, c, d] = [...key] as [number, number, number, number];
  for (let i = 0; i < size; i += 2) {
    const product = Math.imul(b, 5);
    const word = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    mask[i] = (word & 0xffff) < threshold ? 0 : kept;
    mask[i + 1] = word >>> 16 < threshold ? 0 : kept;
  }
  return mask;
}

/** `[1, height, width, channels]`, moved down and to the right. */
function translateImage(image: tf.Tensor4D, down: number, right: number): tf.Tensor4D {
  const [, height, width] = image.shape;
  const begin = [0, Math.max(0, -down), Math.max(0, -right), 0];
  const kept = tf.slice(image, begin, [1, height - Math.abs(down), width - Math.abs(right), -1]);
  return tf.pad(kept, [
    [0, 0],
    [Math.max(0, down), Math.max(0, -down)],
    [Math.max(0, right), Math.max(0, -right)],
    [0, 0],
  ]);
}

function hostCutoutMasks(
  corners: ArrayLike<number>,
  { height, width, side }: { height: number; width: number; side: number },
): Float32Array {
  const masks = new Float32Array((corners.length / 2) * height * width).fill(1);
  for (let i = 0; i < corners.length / 2; i++) {
    const [top, left] = [corners[2 * i]!, corners[2 * i + 1]!];
    const [from, to] = [Math.max(0, left), Math.min(width, left + side)];
    for (let row = Math.max(0, top); row < Math.min(height, top + side); row++) {
      masks.fill(0, (i * height + row) * width + from, (i * height + row) * width + to);
    }
  }
  return masks;
}
