import '@tensorflow/tfjs-backend-cpu';
import { createRandom, product } from '@killme/model';
import {
  adamStep,
  batchNormTrain,
  dropoutMask,
  hostDropoutMask,
  maskKey,
  registerTrainingKernels,
  upsampleConv2d,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWasm } from './wasm.ts';

type Numbers = { shape: number[]; values: Float32Array };

beforeAll(async () => {
  await startWasm({ threads: 3 });
  registerTrainingKernels('cpu');
});

function random(key: string, ...shape: number[]): Numbers {
  return { shape, values: createRandom(key).uniform(product(shape)) };
}

/** The results of the same work on both backends, which must agree. */
async function expectEqualOnBoth(
  inputs: Numbers[],
  work: (...tensors: tf.Tensor[]) => tf.Tensor | tf.Tensor[],
  tolerance = 1e-4,
): Promise<void> {
  const [theirs, ours] = [await runOn('cpu', inputs, work), await runOn('wasm', inputs, work)];
  for (const [i, { shape, values }] of theirs.entries()) {
    expect(ours[i]!.shape).toEqual(shape);
    const difference = values.reduce(
      (d, v, j) => Math.max(d, Math.abs(v - ours[i]!.values[j]!)),
      0,
    );
    expect(difference).toBeLessThan(tolerance);
  }
}

async function runOn(
  backend: 'cpu' | 'wasm',
  inputs: Numbers[],
  work: (...tensors: tf.Tensor[]) => tf.Tensor | tf.Tensor[],
): Promise<Numbers[]> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const tensors = inputs.map(({ shape, values }) => tf.tensor(values, shape));
  const results = [tf.tidy(() => work(...tensors))].flat();
  const numbers = results.map((t) => ({ shape: t.shape, values: t.dataSync<'float32'>() }));
  tf.dispose([tensors, results]);
  expect(tf.memory().numTensors).toBe(before);
  return numbers;
}

/** The value of a function and its gradients to all inputs, with `dy` as the last input. */
const withGradients =
  (f: (...tensors: tf.Tensor[]) => tf.Tensor) =>
  (...tensors: tf.Tensor[]): tf.Tensor[] => {
    const inputs = tensors.slice(0, -1);
    const { value, grads } = tf.valueAndGrads(f)(inputs, tensors.at(-1));
    return [value, ...grads];
  };

describe('conv2d', () => {
  const cases = [
    { image: [2, 9, 7, 5], kernel: [3, 3], outputs: 10, strides: 1, pad: 'same' },
    { image: [2, 9, 7, 5], kernel: [3, 3], outputs: 10, strides: 2, pad: 'same' },
    { image: [3, 8, 10, 3], kernel: [3, 3], outputs: 8, strides: 2, pad: 'same' },
    { image: [1, 12, 11, 13], kernel: [3, 3], outputs: 3, strides: 1, pad: 'valid' },
    { image: [2, 12, 11, 6], kernel: [3, 3], outputs: 17, strides: 2, pad: 'valid' },
    { image: [1, 5, 5, 2], kernel: [5, 2], outputs: 1, strides: 3, pad: 'same' },
    { image: [2, 6, 6, 4], kernel: [1, 1], outputs: 9, strides: 2, pad: 'valid' },
    { image: [1, 4, 4, 2], kernel: [2, 2], outputs: 4, strides: 1, pad: 'same' },
    { image: [1, 2, 2, 1], kernel: [3, 3], outputs: 1, strides: 2, pad: 'same' },
    // Several blocks of rows to an image.
    { image: [1, 70, 200, 4], kernel: [3, 3], outputs: 3, strides: 1, pad: 'same' },
  ] as const;

  it.each(cases)('$image by $kernel to $outputs, stride $strides, $pad', async (c) => {
    const { strides, pad } = c;
    const filter = [...c.kernel, c.image[3], c.outputs];
    const info = tf.backend_util.computeConv2DInfo(
      [...c.image],
      filter as [number, number, number, number],
      strides,
      1,
      pad,
    );
    const inputs = [
      random('x', ...c.image),
      random('k', ...filter),
      random('dy', ...info.outShape),
    ];
    const work = withGradients((x, k) =>
      tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, strides, pad),
    );
    await expectEqualOnBoth(inputs, work, 5e-4);
  });

  it('leaves a dilated one to tfjs', async () => {
    const inputs = [random('x', 1, 9, 9, 2), random('k', 3, 3, 2, 3)];
    await expectEqualOnBoth(inputs, (x, k) =>
      tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, 1, 'same', 'NHWC', 2),
    );
  });
});

describe('upsampleConv2d', () => {
  it.each([
    [2, 5, 3, 4, 6],
    [1, 7, 8, 13, 3],
    [3, 1, 1, 8, 16],
    [1, 40, 160, 9, 2],
  ])('[%i, %i, %i, %i] to %i', async (n, height, width, channels, outputs) => {
    const inputs = [
      random('x', n, height, width, channels),
      random('k', 3, 3, channels, outputs),
      random('dy', n, 2 * height, 2 * width, outputs),
    ];
    const work = withGradients((x, k) => upsampleConv2d(x as tf.Tensor4D, k as tf.Tensor4D));
    await expectEqualOnBoth(inputs, work, 5e-4);
  });
});

describe('matMul', () => {
  it.each([
    [1, 1, 1],
    [4, 100, 203],
    [13, 2100, 1],
    [7, 1, 130],
    [3500, 3, 9],
    [12, 64, 64],
  ])('%i × %i by %i, all transpositions', async (rows, terms, columns) => {
    for (const [a, b] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const left = a ? random('a', terms, rows) : random('a', rows, terms);
      const right = b ? random('b', columns, terms) : random('b', terms, columns);
      await expectEqualOnBoth([left, right], (x, y) => tf.matMul(x, y, a, b), 1e-3);
    }
  });

  it('leaves a batch to tfjs', async () => {
    const inputs = [random('a', 3, 4, 5), random('b', 3, 5, 6)];
    await expectEqualOnBoth(inputs, (a, b) => tf.matMul(a, b));
  });
});

describe('batchNormTrain', () => {
  it.each([
    [3, 4, 5, 6],
    [2, 17, 17, 19],
    [4, 9, 9, 32],
    [1, 1, 2, 1],
  ])('[%i, %i, %i, %i]', async (...shape) => {
    const channels = shape[3]!;
    const inputs = [
      random('x', ...shape),
      random('gamma', channels),
      random('beta', channels),
      random('dy', ...shape),
    ];
    const normalize = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) =>
      batchNormTrain(x as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D, {
        epsilon: 1e-3,
      });
    await expectEqualOnBoth(
      inputs,
      withGradients((x, g, b) => normalize(x, g, b).y),
      5e-4,
    );
    await expectEqualOnBoth(inputs, (x, gamma, beta) => {
      const { mean, variance } = normalize(x!, gamma!, beta!);
      return [mean, variance];
    });
  });

  it('keeps its precision far from zero', async () => {
    await tf.setBackend('wasm');
    // 1000 ± 0.5 in turn: mean 1000, variance 0.25.
    const x = tf.tensor4d(
      Float32Array.from({ length: 4096 }, (_, i) => 1000 + (i % 2) - 0.5),
      [1, 64, 64, 1],
    );
    const { mean, variance } = batchNormTrain(x, tf.tensor1d([1]), tf.tensor1d([0]), {
      epsilon: 1e-3,
    });
    expect(mean.dataSync()[0]).toBe(1000);
    expect(variance.dataSync()[0]).toBeCloseTo(0.25, 6);
  });
});

describe('element-wise and by channel', () => {
  const x = random('x', 2, 5, 7, 3);
  const dy = random('dy', 2, 5, 7, 3);

  it('relu and leakyRelu with gradients', async () => {
    await expectEqualOnBoth(
      [x, dy],
      withGradients((v) => tf.relu(v!)),
      1e-6,
    );
    await expectEqualOnBoth(
      [x, dy],
      withGradients((v) => tf.leakyRelu(v!, 0.2)),
      1e-6,
    );
  });

  it('bias and product with gradients, sums by channel', async () => {
    const bias = random('bias', 3);
    await expectEqualOnBoth(
      [x, bias, dy],
      withGradients((a, b) => tf.add(a!, b!)),
    );
    await expectEqualOnBoth(
      [x, dy, dy],
      withGradients((a, b) => tf.mul(a!, b!)),
    );
    await expectEqualOnBoth([random('x', 777, 21)], (a) => tf.sum(a!, 0));
    await expectEqualOnBoth([x], (a) => [tf.sum(a!), tf.sum(a!, 3), tf.sum(a!, [0, 1, 2], true)]);
  });

  it('adamStep', async () => {
    const squares = { shape: [33, 5], values: random('v', 33, 5).values.map(Math.abs) };
    const inputs = [random('p', 33, 5), random('m', 33, 5), squares, random('g', 33, 5)];
    const options = { rate: 0.1, beta1: 0.5, beta2: 0.999, epsilon: 1e-7 };
    const work = (
      parameter: tf.Tensor,
      firstMoment: tf.Tensor,
      secondMoment: tf.Tensor,
      g: tf.Tensor,
    ) => Object.values(adamStep({ parameter, firstMoment, secondMoment }, g, options));
    await expectEqualOnBoth(inputs, work as (...tensors: tf.Tensor[]) => tf.Tensor[], 1e-5);
  });

  it('dropoutMask is the host mask', async () => {
    await tf.setBackend('wasm');
    const mask = dropoutMask([7, 9], 0.3, 'key');
    expect(mask.dataSync()).toEqual(hostDropoutMask([7, 9], 0.3, maskKey('key')));
  });
});
