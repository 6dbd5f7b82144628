/**
 * Gradient checks: every operation that the presets train through, on the current engine, against
 * the same operation on tfjs's cpu backend, which shares no kernel with any engine.
 *
 * @module
 */
import '@tensorflow/tfjs-backend-cpu';
import { createRandom, minibatchDeviation, product, sequential } from '@killme/model';
import {
  ADVERSARIAL_LOSSES,
  AUGMENTATIONS,
  addBias,
  applyNetwork,
  batchNormTrain,
  binaryCrossEntropy,
  diffAugment,
  discriminatorLoss,
  registerTrainingKernels,
  upsampleConv2d,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { reconstructionLossOf } from '../gan/reconstruction-loss.ts';

interface GradientCase {
  operation: string;
  shapes: readonly (readonly number[])[];
  apply: (inputs: tf.Tensor[]) => tf.Tensor;
}

const conv =
  (strides: number): GradientCase['apply'] =>
  ([x, filter]) =>
    tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, 'same');

const MINIBATCH_DEVIATION = sequential('check', [4, 4, 5], [minibatchDeviation()]);

/** Odd sizes and few channels: what a kernel gets wrong it gets wrong at borders and remainders. */
const CASES: readonly GradientCase[] = [
  {
    operation: 'conv2d, stride 1',
    shapes: [
      [2, 7, 5, 6],
      [3, 3, 6, 9],
    ],
    apply: conv(1),
  },
  {
    operation: 'conv2d, stride 2, odd size',
    shapes: [
      [2, 9, 7, 3],
      [3, 3, 3, 5],
    ],
    apply: conv(2),
  },
  {
    operation: 'conv2d, stride 2, even size',
    shapes: [
      [2, 8, 6, 3],
      [3, 3, 3, 5],
    ],
    apply: conv(2),
  },
  {
    operation: 'conv2d of 4×4, stride 2',
    shapes: [
      [2, 8, 6, 3],
      [4, 4, 3, 5],
    ],
    apply: conv(2),
  },
  {
    operation: 'reconstructionLoss',
    shapes: [
      [2, 32, 32, 3],
      [2, 32, 32, 3],
    ],
    apply: ([real, reconstructed]) =>
      reconstructionLossOf(real as tf.Tensor4D, reconstructed as tf.Tensor4D),
  },
  {
    operation: 'upsampleConv2d',
    shapes: [
      [2, 5, 3, 6],
      [3, 3, 6, 7],
    ],
    apply: ([x, filter]) => upsampleConv2d(x as tf.Tensor4D, filter as tf.Tensor4D),
  },
  ...[undefined, 0, 0.2].map(
    (slope): GradientCase => ({
      operation: `batchNormTrain${slope === undefined ? '' : `, slope ${slope}`}`,
      shapes: [[3, 5, 4, 6], [6], [6]],
      apply: ([x, gamma, beta]) =>
        batchNormTrain(x as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D, {
          epsilon: 1e-3,
          slope,
        }).y,
    }),
  ),
  {
    operation: 'dense (matMul, bias)',
    shapes: [[3, 17], [17, 29], [29]],
    apply: ([x, kernel, bias]) => tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias!),
  },
  { operation: 'relu', shapes: [[3, 5, 4, 6]], apply: ([x]) => tf.relu(x!) },
  { operation: 'leakyRelu', shapes: [[3, 5, 4, 6]], apply: ([x]) => tf.leakyRelu(x!, 0.2) },
  { operation: 'tanh', shapes: [[3, 5, 4, 6]], apply: ([x]) => tf.tanh(x!) },
  ...[undefined, 0, 0.2].map(
    (slope): GradientCase => ({
      operation: `bias over an image${slope === undefined ? '' : `, slope ${slope}`}`,
      shapes: [[3, 5, 4, 6], [6]],
      apply: ([x, bias]) => addBias(x!, bias!, slope),
    }),
  ),
  {
    operation: 'zeroPadding2d',
    shapes: [[2, 4, 5, 3]],
    apply: ([x]) =>
      tf.pad(x!, [
        [0, 0],
        [0, 1],
        [0, 1],
        [0, 0],
      ]),
  },
  {
    operation: 'binaryCrossEntropy, label 1',
    shapes: [[9, 1]],
    apply: ([logits]) => binaryCrossEntropy(tf.mul(logits!, 20), 1),
  },
  {
    operation: 'binaryCrossEntropy, label 0',
    shapes: [[9, 1]],
    apply: ([logits]) => binaryCrossEntropy(tf.mul(logits!, 20), 0),
  },
  ...(['logistic', 'hinge', 'relativistic'] as const).flatMap((name): GradientCase[] => {
    const shapes = [
      [9, 1],
      [9, 1],
    ];
    const loss = ADVERSARIAL_LOSSES[name];
    return [
      { operation: `${name}, D`, shapes, apply: ([a, b]) => discriminatorLoss(loss, a!, b!) },
      // Some of these losses leave one input out, and a gradient that is nothing cannot be asked for.
      {
        operation: `${name}, G`,
        shapes,
        apply: ([a, b]) => loss.generator(b!, tf.add(a!, tf.mul(b!, 3))),
      },
    ];
  }),
  {
    operation: 'minibatchDeviation',
    shapes: [[3, 4, 4, 5]],
    apply: ([x]) => applyNetwork(MINIBATCH_DEVIATION, new Map(), x!, { training: false }),
  },
  {
    operation: 'diffAugment',
    shapes: [[4, 16, 16, 3]],
    apply: ([images]) => diffAugment(images as tf.Tensor4D, 'gradient check', AUGMENTATIONS),
  },
];

export interface GradientRow {
  operation: string;
  /** Largest difference of outputs and gradients, relative to the largest number of each tensor. */
  difference: number;
}

/** Beyond this a difference is no rounding: float32 sums of a few hundred terms keep six digits. */
export const GRADIENT_BOUND = 1e-5;

/** Runs every case on the current backend and on tfjs's cpu backend. */
export async function checkGradients(): Promise<GradientRow[]> {
  const engine = tf.getBackend();
  registerTrainingKernels('cpu');
  const rows: GradientRow[] = [];
  for (const gradientCase of CASES) {
    await tf.setBackend(engine);
    const ours = await evaluate(gradientCase);
    await tf.setBackend('cpu');
    const expected = await evaluate(gradientCase);
    const differences = ours.map((values, i) => relativeDifference(values, expected[i]!));
    rows.push({ operation: gradientCase.operation, difference: Math.max(...differences) });
  }
  await tf.setBackend(engine);
  return rows;
}

/** The output and the gradient of each input, for fixed random inputs and output gradient. */
async function evaluate({ operation, shapes, apply }: GradientCase): Promise<Float32Array[]> {
  const random = (name: string, shape: readonly number[]) =>
    tf.tensor(createRandom(`${operation}/${name}`).uniform(product(shape)), [...shape]);
  const inputs = shapes.map((shape, i) => random(`input ${i}`, shape));
  const output = tf.tidy(() => apply(inputs));
  const dy = random('dy', output.shape);
  const gradients = tf.grads((...tensors: tf.Tensor[]) => apply(tensors))(inputs, dy);
  const results = [output, ...gradients];
  const values = await Promise.all(results.map((tensor) => tensor.data<'float32'>()));
  tf.dispose([...inputs, dy, ...results]);
  return values;
}

function relativeDifference(ours: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = ours.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - expected[i]!)),
    0,
  );
  return Number.isFinite(difference) ? difference / largest : Number.POSITIVE_INFINITY;
}
