/**
 * Runs under Deno for webgpu.test.ts: every kernel of ours against plain tfjs operations on the cpu
 * backend, at sizes at which the work is split, and a few training steps. Prints JSON.
 *
 * @module
 */
import '@tensorflow/tfjs-backend-cpu';
import { articleDiscriminator, articleGenerator, createRandom, product } from '@killme/model';
import {
  type AdamStepOptions,
  adamSteps,
  addBias,
  batchNormTrain,
  dropoutMask,
  moveAverages,
  registerTrainingKernels,
  upsampleConv2d,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { trainArticleStep } from '../../gan/article-step.ts';
import { initializeNetwork } from '../../gan/network-state.ts';
import type { WebGPUBackend } from './program.ts';
import { startWebgpu } from './webgpu.ts';

/** What the test reads. */
export interface WebgpuChecks {
  device: string;
  /** Largest difference from the cpu backend, relative to the largest number of a tensor. */
  differences: Record<string, number>;
  /** Sixteen entries and the mean of a mask of `rate` 0.25, and whether one key gave it twice. */
  mask: { first: number[]; mean: number; repeated: boolean; changed: boolean };
  /** Whether two runs from the same start end with the same bits. */
  repeated: boolean;
  /** How many results ten products of the same matrices give, where tfjs would add up over atomics. */
  products: number;
  /** What comes of asking the GPU for more than it has. */
  tooLarge: string;
  /** Tensors, and buffers of the backend, that training steps leave behind. */
  leaked: { tensors: number; buffers: number };
}

function random(name: string, shape: readonly number[], offset = 0): tf.Tensor {
  const values = createRandom(name).uniform(product(shape));
  return tf.tensor(
    values.map((value) => value + offset),
    [...shape],
  );
}

/** A function's output and its gradients. */
function withGradients(apply: (...tensors: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]) {
  const y = apply(...inputs);
  return [y, ...tf.grads(apply)(inputs, random('dy', y.shape))];
}

/** A row above, a column to the right. */
const UNEVEN_BORDER: tf.backend_util.ExplicitPadding = [
  [0, 0],
  [1, 0],
  [0, 1],
  [0, 0],
];

const CASES: Record<string, () => tf.Tensor[]> = {
  'filter gradient over several workgroups': () =>
    withGradients(
      (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, 'same'),
      [random('x', [3, 41, 38, 5]), random('filter', [3, 3, 5, 37])],
    ),
  'wide convolution': () => [
    tf.conv2d(
      random('x', [1, 131, 129, 4]) as tf.Tensor4D,
      random('filter', [2, 2, 4, 60]) as tf.Tensor4D,
      1,
      UNEVEN_BORDER,
    ),
  ],
  'wide convolution of stride 2': () => [
    tf.conv2d(
      random('x', [2, 183, 181, 20]) as tf.Tensor4D,
      random('filter', [2, 2, 20, 60]) as tf.Tensor4D,
      2,
      'same',
    ),
  ],
  'wide gradient of what a convolution reads': () => {
    const filter = random('filter', [2, 2, 48, 4]) as tf.Tensor4D;
    const convolve = (x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, filter, 1, UNEVEN_BORDER);
    return [tf.grad(convolve)(random('x', [1, 131, 129, 48]), random('dy', [1, 131, 129, 4]))];
  },
  'wide filter gradient': () => {
    const x = random('x', [2, 64, 33, 64]) as tf.Tensor4D;
    const dy = random('dy', [2, 64, 33, 60]) as tf.Tensor4D;
    const convolve = (filter: tf.Tensor) => tf.conv2d(x, filter as tf.Tensor4D, 1, 'same');
    return tf.getBackend() === 'cpu'
      ? [filterGradientByProducts(x, dy, 4)] // tfjs's own would take a minute
      : [tf.grad(convolve)(random('filter', [4, 4, 64, 60]), dy)];
  },
  'narrow convolutions': () =>
    [
      [1, 131, 129, 20],
      [1, 131, 129, 80],
    ].flatMap((shape) => {
      const filter = random('filter', [2, 3, shape[3]!, 3]) as tf.Tensor4D;
      const x = random('x', shape) as tf.Tensor4D;
      const convolve = (filter_: tf.Tensor) =>
        tf.conv2d(x, filter_ as tf.Tensor4D, 1, UNEVEN_BORDER);
      const y = convolve(filter);
      return [y, tf.grad(convolve)(filter, random('dy', y.shape))];
    }),
  'upsampled convolution': () =>
    withGradients(
      (x, filter) => upsampleConv2d(x as tf.Tensor4D, filter as tf.Tensor4D),
      [random('x', [2, 19, 17, 12]), random('filter', [3, 3, 12, 8])],
    ),
  'batch normalization far from 0': () => {
    const inputs = [random('x', [3, 31, 29, 7], 100), random('gamma', [7]), random('beta', [7])];
    const [x, gamma, beta] = inputs as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
    const { mean, variance } = batchNormTrain(x, gamma, beta, { epsilon: 1e-3 });
    const apply = (...[a, b, c]: tf.Tensor[]) =>
      batchNormTrain(a as tf.Tensor4D, b as tf.Tensor1D, c as tf.Tensor1D, { epsilon: 1e-3 }).y;
    return [mean, variance, ...withGradients(apply, inputs)];
  },
  'activated batch normalization': () =>
    withGradients(
      (x, gamma, beta) =>
        batchNormTrain(x as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D, {
          epsilon: 1e-3,
          slope: 0,
        }).y,
      [random('x', [3, 31, 29, 7]), random('gamma', [7]), random('beta', [7])],
    ),
  'activated bias': () =>
    withGradients(
      (x, bias) => addBias(x, bias, 0.2),
      [random('x', [3, 31, 29, 7]), random('bias', [7])],
    ),
  'split products': () =>
    [0, 1, 2, 3].map((bits) => {
      const [transposeA, transposeB] = [(bits & 1) > 0, bits > 1];
      const a = random('a', transposeA ? [2003, 37] : [37, 2003]) as tf.Tensor2D;
      const b = random('b', transposeB ? [41, 2003] : [2003, 41]) as tf.Tensor2D;
      return tf.matMul(a, b, transposeA, transposeB);
    }),
  'column sums': () =>
    [
      [700, 3],
      [5, 40_001],
      [2, 300, 1],
    ].map((shape) => tf.sum(random('x', shape), shape.map((_, i) => i).slice(0, -1))),
  'Adam steps of many tensors': () => {
    const options = { rate: 2e-3, beta1: 0.5, beta2: 0.999, epsilon: 1e-7 };
    return manyTensors(options).concat(manyTensors({ ...options, longest: 1e-3 }));
  },
  'moving averages of many tensors': () =>
    moveAverages(
      SIZES.map((size, i) => random(`average ${i}`, [size])),
      SIZES.map((size, i) => random(`value ${i}`, [size])),
      0.1,
    ),
};

/** For each tap of a `side` × `side` filter the product of what it reads, transposed, and dy. */
function filterGradientByProducts(x: tf.Tensor4D, dy: tf.Tensor4D, side: number): tf.Tensor {
  const [n, height, width, channels] = x.shape;
  const around = [Math.floor((side - 1) / 2), Math.ceil((side - 1) / 2)] as [number, number];
  const padded = tf.pad(x, [[0, 0], around, around, [0, 0]]);
  const gradients = tf.reshape(dy, [-1, dy.shape[3]]) as tf.Tensor2D;
  const taps = Array.from({ length: side ** 2 }, (_, tap) => {
    const begin = [0, Math.floor(tap / side), tap % side, 0];
    const read = tf.slice(padded, begin, [n, height, width, channels]);
    return tf.matMul(tf.reshape(read, [-1, channels]) as tf.Tensor2D, gradients, true);
  });
  return tf.reshape(tf.stack(taps), [side, side, channels, dy.shape[3]]);
}

/** More than a shader takes at once, of one workgroup and of so many that a lane takes a second round. */
const SIZES = [301, 1, 300_001, ...Array.from({ length: 40 }, (_, i) => 1000 + 7 * i)];

/** Adam steps, of which some are much too long for `longest`. */
function manyTensors(options: AdamStepOptions): tf.Tensor[] {
  const tensors = SIZES.map((size, i) => ({
    parameter: random(`p ${i}`, [size]),
    firstMoment: random(`m ${i}`, [size]),
    secondMoment: tf.square(random(`v ${i}`, [size])),
  }));
  const gradients = SIZES.map((size, i) => tf.mul(random(`g ${i}`, [size]), 1 + (i % 5) * 30));
  return adamSteps(tensors, gradients, options).flatMap((next) => Object.values(next));
}

async function compare(run: () => tf.Tensor[]): Promise<number> {
  const values: Float32Array[][] = [];
  for (const backend of ['webgpu', 'cpu']) {
    await tf.setBackend(backend);
    const tensors = tf.tidy(run);
    values.push(await Promise.all(tensors.map((tensor) => tensor.data<'float32'>())));
    tf.dispose(tensors);
  }
  await tf.setBackend('webgpu');
  const [ours, expected] = values as [Float32Array[], Float32Array[]];
  return Math.max(...ours.map((mine, i) => relativeDifference(mine, expected[i]!)));
}

function relativeDifference(ours: Float32Array, expected: Float32Array): number {
  let [difference, largest] = [0, 0];
  for (const [i, value] of expected.entries()) {
    difference = Math.max(difference, Math.abs(value - ours[i]!));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}

async function checkMask(): Promise<WebgpuChecks['mask']> {
  const sample = async (key: string) => {
    const mask = dropoutMask([3, 33_337], 0.25, key);
    const values = await mask.data<'float32'>();
    mask.dispose();
    return values;
  };
  const [mask, again, other] = [
    await sample('mask'),
    await sample('mask'),
    await sample('another'),
  ];
  return {
    first: [...mask.slice(0, 16)],
    mean: mask.reduce((total, value) => total + value, 0) / mask.length,
    repeated: mask.every((value, i) => value === again[i]),
    changed: mask.some((value, i) => value !== other[i]),
  };
}

async function checkTraining(): Promise<Pick<WebgpuChecks, 'leaked' | 'repeated'>> {
  const first = await trainTiny();
  const second = await trainTiny();
  const repeated = first.weights.every((value, i) => Object.is(value, second.weights[i]));
  return { leaked: second.leaked, repeated };
}

async function countProducts(): Promise<number> {
  const [a, b] = [random('a', [40, 40_000]), random('b', [40_000, 40])] as [
    tf.Tensor2D,
    tf.Tensor2D,
  ];
  const results = new Set<string>();
  for (let i = 0; i < 10; i++) results.add((await tf.matMul(a, b).data()).join());
  return results.size;
}

/** Four steps of a small article GAN: all its weights, and what the last three steps left behind. */
async function trainTiny() {
  const size = { imageSize: 16, width: 1 / 16 };
  const gan = {
    generator: initializeNetwork(articleGenerator({ ...size, latentSize: 5 }), 'g'),
    discriminator: initializeNetwork(articleDiscriminator(size), 'd'),
    ema: undefined,
  };
  const inputs = {
    realImages: random('images', [2, 16, 16, 3]) as tf.Tensor4D,
    discriminatorLatents: random('d latents', [2, 5]) as tf.Tensor2D,
    generatorLatents: random('g latents', [4, 5]) as tf.Tensor2D,
    dropoutMasks: (part: string, layer: string, shape: readonly number[], rate: number) =>
      dropoutMask(shape, rate, `${part}/${layer}`),
  };
  const step = async () => {
    const adam = { learningRate: 2e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-7 };
    const losses = Object.values(trainArticleStep(gan, inputs, adam)) as tf.Scalar[];
    await Promise.all(losses.map((loss) => loss.data()));
    tf.dispose(losses);
  };
  const count = () => ({
    tensors: tf.memory().numTensors,
    buffers: (tf.backend() as WebGPUBackend).numDataIds(),
  });
  await step();
  const before = count();
  for (let i = 0; i < 3; i++) await step();
  const after = count();
  const leaked = {
    tensors: after.tensors - before.tensors,
    buffers: after.buffers - before.buffers,
  };
  const tensors = [...gan.generator.weights.values(), ...gan.discriminator.weights.values()];
  const values = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
  return { leaked, weights: values.flatMap((numbers) => [...numbers]) };
}

async function askTooMuch(): Promise<string> {
  const { device } = tf.backend() as WebGPUBackend;
  device.createBuffer({ size: device.limits.maxBufferSize + 4, usage: GPUBufferUsage.STORAGE });
  try {
    await tf.add(tf.ones([2]), 1).data();
    return 'nothing was thrown';
  } catch (error) {
    return (error as Error).message;
  }
}

const { device } = await startWebgpu();
for (const backend of ['webgpu', 'cpu']) registerTrainingKernels(backend);
const differences: Record<string, number> = {};
for (const [name, run] of Object.entries(CASES)) differences[name] = await compare(run);
const checks: WebgpuChecks = {
  device,
  differences,
  mask: await checkMask(),
  ...(await checkTraining()),
  products: await countProducts(),
  // Last: the engine is of no use after that.
  tooLarge: await askTooMuch(),
};
console.log(JSON.stringify(checks));
