import { createRandom, product } from '@killme/model';
import {
  adamStep,
  batchNormTrain,
  dropoutMask,
  registerTrainingKernels,
  upsampleConv2d,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs'; // the cpu backend, and the plain gradients
import { beforeAll, describe, expect, it } from 'vitest';
import { findTensorflow, startTensorflow } from './tensorflow.ts';

const found = findTensorflow();
const title = found.available
  ? 'tensorflow kernels'
  : `tensorflow kernels (skipped: ${found.reason}; ${found.remedy})`;

type Compute = (...inputs: tf.Tensor[]) => tf.Tensor[];
interface Host {
  shape: number[];
  values: Float32Array;
}

function random(key: string, ...shape: number[]): Host {
  return { shape, values: createRandom(key).uniform(product(shape)) };
}

/** What a backend makes of the inputs, on the host. */
async function runOn(backend: string, compute: Compute, inputs: Host[]): Promise<Host[]> {
  await tf.setBackend(backend);
  const outputs = tf.tidy(() =>
    compute(...inputs.map(({ values, shape }) => tf.tensor(values, shape))),
  );
  return outputs.map((output) => {
    const values = output.dataSync() as Float32Array;
    output.dispose();
    return { shape: output.shape, values };
  });
}

/** The largest difference between TensorFlow and tfjs's plain JavaScript, over the largest number. */
async function compare(compute: Compute, ...inputs: Host[]): Promise<number> {
  const expected = await runOn('cpu', compute, inputs);
  const got = await runOn('tensorflow', compute, inputs);
  expect(got.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  const errors = got.map(({ values }, i) => {
    const wanted = (expected[i] as Host).values;
    const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return values.reduce((most, v, j) => Math.max(most, Math.abs(v - wanted[j]!)), 0) / scale;
  });
  return Math.max(...errors);
}

/** A function of x and weights, as one of (dy, x, weights): its value and all its gradients. */
function withGradients(f: (...inputs: tf.Tensor[]) => tf.Tensor): Compute {
  return (dy, ...inputs) => [f(...inputs), ...tf.grads(f)(inputs, dy!)];
}

describe.skipIf(!found.available)(title, () => {
  beforeAll(async () => {
    await startTensorflow();
    registerTrainingKernels('tensorflow');
    registerTrainingKernels('cpu');
  });

  it('shares one tfjs-core with the binding', () => {
    expect(tf.findBackend('tensorflow')).toHaveProperty('binding');
  });

  it('normalizes a batch, with gradients', async () => {
    const normalize = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) =>
      batchNormTrain(x as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D, { epsilon: 1e-3 })
        .y;
    const inputs = [random('gamma', 6), random('beta', 6)];
    const [dy, x] = [random('dy', 3, 5, 4, 6), random('x', 3, 5, 4, 6)];
    expect(await compare(withGradients(normalize), dy, x, ...inputs)).toBeLessThan(1e-5);
  });

  it('gives the mean and the biased variance of a batch', async () => {
    const statistics: Compute = (x, gamma) => {
      const scale = gamma as tf.Tensor1D;
      const { mean, variance } = batchNormTrain(x as tf.Tensor4D, scale, scale, { epsilon: 1e-3 });
      return [mean, variance];
    };
    const x = random('x', 2, 3, 3, 4);
    expect(await compare(statistics, x, random('gamma', 4))).toBeLessThan(1e-6);
  });

  it('upsamples and convolves, with gradients', async () => {
    const upsample = (x: tf.Tensor, filter: tf.Tensor) =>
      upsampleConv2d(x as tf.Tensor4D, filter as tf.Tensor4D);
    const [dy, x] = [random('dy', 2, 10, 6, 5), random('x', 2, 5, 3, 4)];
    const filter = random('filter', 3, 3, 4, 5);
    expect(await compare(withGradients(upsample), dy, x, filter)).toBeLessThan(1e-5);
  });

  it('makes Adam steps', async () => {
    const options = { rate: 2e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-7 };
    const step: Compute = (parameter, firstMoment, secondMoment, gradient) => {
      const tensors = {
        parameter: parameter!,
        firstMoment: firstMoment!,
        secondMoment: tf.square(secondMoment!),
      };
      const next = adamStep(tensors, gradient!, options);
      return [next.parameter, next.firstMoment, next.secondMoment];
    };
    const inputs = ['p', 'm', 'v', 'g'].map((key) => random(key, 7, 11));
    expect(await compare(step, ...inputs)).toBeLessThan(1e-6);
  });

  it('leaves the tensors of an Adam step as they were', async () => {
    await tf.setBackend('tensorflow');
    const ones = () => tf.fill([5], 1);
    const tensors = { parameter: ones(), firstMoment: ones(), secondMoment: ones() };
    adamStep(tensors, ones(), { rate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 0 });
    for (const tensor of Object.values(tensors)) {
      expect([...tensor.dataSync()]).toEqual([1, 1, 1, 1, 1]);
    }
  });

  it.each([
    ['relu', (x: tf.Tensor) => tf.relu(x)],
    ['leakyRelu', (x: tf.Tensor) => tf.leakyRelu(x, 0.2)],
  ])('has the gradient of %s', async (_, activation) => {
    const inputs = [random('dy', 4, 9), random('x', 4, 9)];
    expect(await compare(withGradients(activation), ...inputs)).toBeLessThan(1e-6);
  });

  it('sums over all axes but the last, and over others', async () => {
    const x = random('x', 2, 3, 4, 5);
    const sums: Compute = (x) => [
      tf.sum(x!, [0, 1, 2]),
      tf.sum(x!, [0, 1, 2], true),
      tf.sum(x!, [1, 2, 3]),
      tf.sum(x!, [0, 1]),
      tf.sum(x!),
    ];
    expect(await compare(sums, x)).toBeLessThan(1e-6);
  });

  it('sums many numbers as well as TensorFlow does', async () => {
    await tf.setBackend('tensorflow');
    const x = tf.tensor(createRandom('x').uniform(2 ** 20), [2 ** 16, 16]);
    const exact = new Float64Array(16);
    x.dataSync().forEach((value, i) => {
      exact[i % 16]! += value;
    });
    const sums = tf.sum(x, [0]).dataSync();
    const worst = Math.max(...exact.map((value, i) => Math.abs(value - sums[i]!)));
    // The sums are about ±150 of numbers of about ±0.5.
    expect(worst).toBeLessThan(2e-3);
  });

  it('samples dropout masks that the key decides', async () => {
    await tf.setBackend('tensorflow');
    const sample = (key: string, rate = 0.25) => dropoutMask([33, 31], rate, key).dataSync();
    const mask = sample('key');
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(4 / 3)]));
    expect(mask.filter((value) => value > 0).length / mask.length).toBeCloseTo(0.75, 1);
    expect(sample('key')).toEqual(mask);
    expect(sample('other')).not.toEqual(mask);
    // Recorded here on a CPU, to notice when another TensorFlow samples differently.
    expect([...sample('golden', 0.5).subarray(0, 12)]).toEqual([
      2, 0, 0, 0, 2, 2, 0, 2, 2, 0, 2, 0,
    ]);
  });

  it('leaves no tensor behind', async () => {
    const inputs = [random('x', 2, 4, 4, 3), random('filter', 3, 3, 3, 3), random('gamma', 3)];
    const work: Compute = (x, filter, gamma) => {
      const f = (x: tf.Tensor) => {
        const scale = gamma as tf.Tensor1D;
        const y = upsampleConv2d(x as tf.Tensor4D, filter as tf.Tensor4D);
        const mask = dropoutMask(y.shape, 0.5, 'key');
        return tf.mul(tf.leakyRelu(batchNormTrain(y, scale, scale, { epsilon: 1e-3 }).y), mask);
      };
      const gradient = tf.grad(f)(x!);
      const tensors = { parameter: x!, firstMoment: x!, secondMoment: tf.square(x!) };
      const options = { rate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-7 };
      return Object.values(adamStep(tensors, gradient, options));
    };
    await runOn('tensorflow', work, inputs);
    const native = tf.backend() as unknown as { getNumOfTFTensors(): number };
    const before = [tf.memory().numTensors, native.getNumOfTFTensors()];
    for (let i = 0; i < 10; i++) await runOn('tensorflow', work, inputs);
    expect([tf.memory().numTensors, native.getNumOfTFTensors()]).toEqual(before);
  });
});
