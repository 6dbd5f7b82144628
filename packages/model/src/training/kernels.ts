/**
 * The operations of training that tfjs lacks or composes slowly, as tfjs kernels with gradients.
 *
 * Each has a composition of plain tfjs-core operations (compositions.ts), which `registerTrainingKernels`
 * gives to a backend that has no kernel of that name; an engine registers its own, faster ones first. Only
 * `ActivatedBatchNorm` and `ActivatedBias` have none: an engine without them activates in a pass of its own.
 * All image tensors are NHWC float32.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { createRandom } from '../latents/random.ts';
import { COMPOSITIONS, run } from './compositions.ts';

/** x where x > 0, elsewhere slope · x; x itself without a slope. */
function activate(x: tf.Tensor, slope: number | undefined): tf.Tensor {
  if (slope === undefined) return x;
  return slope === 0 ? tf.relu(x) : tf.leakyRelu(x, slope);
}

/** Whether the engine has a kernel that activates what it computes in the same pass. */
const isFused = (kernelName: string, slope: number | undefined): slope is number =>
  slope !== undefined && tf.getKernel(kernelName, tf.getBackend()) !== undefined;

/**
 * Batch normalization on the statistics of the batch, and an activation of it.
 * @param x `[n, height, width, channels]`
 * @param options.slope that of the activation below 0: of leaky relu, or 0 of relu; without it there is none.
 * @returns y like x; mean and (biased) variance, `[channels]` each, through which no gradient flows.
 */
export function batchNormTrain(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { epsilon, slope }: { epsilon: number; slope?: number | undefined },
): { y: tf.Tensor4D; mean: tf.Tensor1D; variance: tf.Tensor1D } {
  const inputs = { x, gamma, beta };
  const fused = isFused('ActivatedBatchNorm', slope);
  const [y, mean, variance] = fused
    ? run('ActivatedBatchNorm', inputs, { epsilon, slope })
    : run('BatchNormTrain', inputs, { epsilon });
  return {
    y: (fused ? y! : activate(y!, slope)) as tf.Tensor4D,
    mean: mean as tf.Tensor1D,
    variance: variance as tf.Tensor1D,
  };
}

/**
 * The sum with a bias, and an activation of it.
 * @param x `[…, channels]`
 * @param bias `[channels]`
 * @param slope as for {@link batchNormTrain}
 */
export function addBias(x: tf.Tensor, bias: tf.Tensor, slope?: number): tf.Tensor {
  if (isFused('ActivatedBias', slope)) return run('ActivatedBias', { x, bias }, { slope })[0]!;
  return activate(tf.add(x, bias), slope);
}

/**
 * Nearest-neighbour 2× upsampling, then a 3×3 convolution with `same` padding, without the
 * upsampled image (see phases.ts).
 * @param x `[n, height, width, channelsIn]`
 * @param filter `[3, 3, channelsIn, channelsOut]`
 * @returns `[n, 2 · height, 2 · width, channelsOut]`
 */
export function upsampleConv2d(x: tf.Tensor4D, filter: tf.Tensor4D): tf.Tensor4D {
  return run('UpsampleConv2D', { x, filter })[0] as tf.Tensor4D;
}

/** What a mask is made from: the first 128 bits of the SHAKE128 stream of its name, `[4]`. */
export function maskKey(name: string): Int32Array {
  return new Int32Array(createRandom(name).uint32s(4));
}

/**
 * A dropout mask: 0 with probability `rate`, else 1 / (1 − rate).
 * @param key names the random numbers, or is the {@link maskKey} of their name as an int32 tensor `[4]`;
 * equal keys give equal masks on the same engine.
 */
export function dropoutMask(
  shape: readonly number[],
  rate: number,
  key: string | tf.Tensor1D,
): tf.Tensor {
  return tf.tidy(() => {
    const words = typeof key === 'string' ? tf.tensor1d(maskKey(key), 'int32') : key;
    return run('DropoutMask', { key: words }, { shape: [...shape], rate })[0]!;
  });
}

/**
 * Moves each image by whole pixels; what comes in at the border is 0.
 * @param images `[n, height, width, channels]`
 * @param shifts int32 `[n, 2]`, pixels down and to the right; no gradient flows through it.
 */
export function translateImages(images: tf.Tensor4D, shifts: tf.Tensor2D): tf.Tensor4D {
  return run('TranslateImages', { images, shifts })[0] as tf.Tensor4D;
}

/**
 * Masks with a hole: 0 in each image's square of `side` pixels and 1 elsewhere.
 * @param corners int32 `[n, 2]`, the top row and the left column of each square, which may stick out.
 * @returns `[n, height, width, 1]`
 */
export function cutoutMasks(
  corners: tf.Tensor2D,
  { height, width, side }: { height: number; width: number; side: number },
): tf.Tensor4D {
  return run('CutoutMasks', { corners }, { height, width, side })[0] as tf.Tensor4D;
}

/** One tensor's part of an Adam step (Kingma & Ba, in the form of Keras and TensorFlow). */
export interface AdamTensors {
  parameter: tf.Tensor;
  firstMoment: tf.Tensor;
  secondMoment: tf.Tensor;
}

/** What all tensors of a network have in common in an Adam step. */
export interface AdamStepOptions {
  /** The learning rate times √(1 − β₂ᵗ) / (1 − β₁ᵗ), a number or a scalar tensor. */
  rate: number | tf.Scalar;
  beta1: number;
  beta2: number;
  epsilon: number;
  /**
   * The learning rate, where steps are to be clipped (Wortsman et al. 2023, arXiv:2304.13013, "StableAdamW"; Shazeer &
   * Stern 2018, arXiv:1804.04235): the rate of a tensor is divided by the root mean square of rate · g / √v in units of
   * it, where that is above 1. It is about 1 as a rule; where gradients are suddenly ten times as large, v has not
   * seen it yet, and Adam's own step is several times too long.
   */
  longest?: number;
}

/** Of squares of gradients: below it a tensor has no gradient. */
const LEAST_SQUARE = 1e-14;

/**
 * m ← m + (1 − β₁)(g − m); v ← v + (1 − β₂)(g² − v); p ← p − rate · m / (√v + ε), for each tensor.
 * @param gradients one for each of `tensors`, of its shape
 * @returns new tensors; the caller disposes of the old ones.
 */
export function adamSteps(
  tensors: readonly AdamTensors[],
  gradients: readonly tf.Tensor[],
  { rate, longest = 0, ...attrs }: AdamStepOptions,
): AdamTensors[] {
  const outputs = tf.tidy(() => {
    const inputs = [
      typeof rate === 'number' ? tf.scalar(rate) : rate,
      ...tensors.map(({ parameter }) => parameter),
      ...tensors.map(({ firstMoment }) => firstMoment),
      ...tensors.map(({ secondMoment }) => secondMoment),
      ...gradients,
    ];
    return run('AdamSteps', byPlace(inputs), { ...attrs, longest, leastSquare: LEAST_SQUARE });
  });
  const count = tensors.length;
  return tensors.map((_, i) => ({
    parameter: outputs[i]!,
    firstMoment: outputs[count + i]!,
    secondMoment: outputs[2 * count + i]!,
  }));
}

/** {@link adamSteps} of one tensor. */
export function adamStep(
  tensors: AdamTensors,
  gradient: tf.Tensor,
  options: AdamStepOptions,
): AdamTensors {
  return adamSteps([tensors], [gradient], options)[0]!;
}

/**
 * Moving averages: average ← average + share · (value − average).
 * @param values one for each of `averages`, of its shape
 * @param share a number or a scalar tensor
 * @returns new tensors; the caller disposes of the old ones.
 */
export function moveAverages(
  averages: readonly tf.Tensor[],
  values: readonly tf.Tensor[],
  share: number | tf.Scalar,
): tf.Tensor[] {
  return tf.tidy(() => {
    const scalar = typeof share === 'number' ? tf.scalar(share) : share;
    return run('MoveAverages', byPlace([scalar, ...averages, ...values]));
  });
}

/** Inputs of a kernel that takes any number of tensors. */
const byPlace = (tensors: readonly tf.Tensor[]): tf.NamedTensorMap =>
  Object.fromEntries(tensors.map((tensor, i) => [i, tensor]));

/**
 * Gradients by kernel name; they hold for every backend. One kernel computes all of a node's
 * gradients, so it runs at once: the closures are each called in a tidy of their own.
 */
const GRADIENTS: tf.GradConfig[] = [
  {
    kernelName: 'BatchNormTrain',
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, true, true],
    gradFunc: (dys, [x, gamma, mean, variance], attrs) => {
      const dy = (dys as tf.Tensor[])[0]!;
      const inputs = { dy, x: x!, gamma: gamma!, mean: mean!, variance: variance! };
      const [dx, dgamma, dbeta] = run('BatchNormTrainGrad', inputs, attrs);
      return { x: () => dx!, gamma: () => dgamma!, beta: () => dbeta! };
    },
  },
  {
    kernelName: 'ActivatedBatchNorm',
    inputsToSave: ['x', 'gamma', 'beta'],
    outputsToSave: [false, true, true],
    gradFunc: (dys, [x, gamma, beta, mean, variance], attrs) => {
      const dy = (dys as tf.Tensor[])[0]!;
      const sums = { mean: mean!, variance: variance! };
      const inputs = { dy, x: x!, gamma: gamma!, beta: beta!, ...sums };
      const [dx, dgamma, dbeta] = run('ActivatedBatchNormGrad', inputs, attrs);
      return { x: () => dx!, gamma: () => dgamma!, beta: () => dbeta! };
    },
  },
  {
    kernelName: 'ActivatedBias',
    outputsToSave: [true],
    gradFunc: (dy, [y], attrs) => {
      const [dx, dbias] = run('ActivatedBiasGrad', { dy: dy as tf.Tensor, y: y! }, attrs);
      return { x: () => dx!, bias: () => dbias! };
    },
  },
  {
    kernelName: 'TranslateImages',
    inputsToSave: ['shifts'],
    gradFunc: (dy, [shifts]) => ({
      images: () => translateImages(dy as tf.Tensor4D, tf.neg(shifts as tf.Tensor2D)),
    }),
  },
  {
    kernelName: 'UpsampleConv2D',
    inputsToSave: ['x', 'filter'],
    gradFunc: (dy, [x, filter]) => {
      const inputs = { dy: dy as tf.Tensor, x: x!, filter: filter! };
      const [dx, dfilter] = run('UpsampleConv2DGrad', inputs);
      return { x: () => dx!, filter: () => dfilter! };
    },
  },
];

/**
 * Gives the kernels above to a backend, for each name where it has none of its own.
 * Call it once, after the engine has registered its own.
 */
export function registerTrainingKernels(backendName: string): void {
  for (const [kernelName, compose] of Object.entries(COMPOSITIONS)) {
    if (tf.getKernel(kernelName, backendName)) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) =>
        // runKernel passes the tensors themselves on, typed as the infos they extend.
        tf.tidy(() => compose(inputs as tf.NamedTensorMap, attrs ?? {})),
    });
  }
  for (const config of GRADIENTS) {
    if (!tf.getGradient(config.kernelName)) tf.registerGradient(config);
  }
}
