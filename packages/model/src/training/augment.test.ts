import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom, product } from '../index.ts';
import { AUGMENTATIONS, type Augmentation, diffAugment, registerTrainingKernels } from './index.ts';

const shape: [number, number, number, number] = [4, 16, 16, 3];
const augment = (x: tf.Tensor4D, key: string, policy = AUGMENTATIONS as readonly Augmentation[]) =>
  diffAugment(x, key, policy);
const images = () => tf.tensor4d(createRandom('images').uniform(product(shape)), shape);

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

describe('diffAugment', () => {
  it('changes each image in its own way, the same for the same key', () => {
    const one = tf.slice(images(), [0, 0, 0, 0], [1, -1, -1, -1]) as tf.Tensor4D;
    const same = tf.concat([one, one, one, one]) as tf.Tensor4D;
    const first = tf.unstack(augment(same, 'key')).map((image) => [...image.dataSync()]);
    expect(new Set(first.map((values) => values.join())).size).toBe(4);
    expect(augment(same, 'key').dataSync()).toEqual(augment(same, 'key').dataSync());
    expect(augment(same, 'key').dataSync()).not.toEqual(augment(same, 'other').dataSync());
  });

  it('does what its policy names, and the same of it whatever else is named', () => {
    expect(augment(images(), 'key', []).dataSync()).toEqual(images().dataSync());
    const white = tf.ones([8, 16, 16, 3]) as tf.Tensor4D;
    const colours = (policy: readonly Augmentation[]) =>
      new Set(augment(white, 'key', policy).dataSync());
    expect(colours(['translation', 'cutout'])).toEqual(new Set([0, 1]));
    // A plain white image gets another brightness only.
    expect(colours(['color']).size).toBeGreaterThan(8 - 1);
    const cut = (policy: readonly Augmentation[]) =>
      [...augment(white, 'key', policy).dataSync()].map((value) => value === 0);
    expect(cut(['color', 'cutout'])).toEqual(cut(['cutout']));
  });

  it('cuts a square of half the side, as far as it lies inside, and shifts by an eighth at most', () => {
    // Of a plain white image colour changes leave a plain one, so what is 0 was cut or shifted in.
    const white = tf.ones([64, 16, 16, 3]) as tf.Tensor4D;
    const fractions = tf.mean(tf.cast(tf.equal(augment(white, 'key'), 0), 'float32'), [1, 2, 3]);
    const [least, most] = [Math.min(...fractions.dataSync()), Math.max(...fractions.dataSync())];
    // A corner of a quarter of the square at least; the whole square and both shifted edges at most.
    expect(least).toBeGreaterThanOrEqual(16 / 256);
    expect(most).toBeLessThanOrEqual((64 + 2 * 32) / 256);
  });

  it('lets gradients through: they agree with finite differences', () => {
    const x = images();
    const weights = tf.tensor4d(createRandom('weights').uniform(product(shape)), shape);
    const loss = (value: tf.Tensor) =>
      tf.sum(tf.mul(augment(value as tf.Tensor4D, 'key'), weights)) as tf.Scalar;
    const gradient = tf.grad(loss)(x).dataSync();
    const values = x.dataSync();
    for (const index of [0, 500, 1_000, 2_000, 3_000]) {
      const nudged = (by: number) =>
        loss(
          tf.tensor4d(
            values.map((v, i) => (i === index ? v + by : v)),
            shape,
          ),
        ).dataSync()[0]!;
      expect(gradient[index]).toBeCloseTo((nudged(0.5) - nudged(-0.5)) / 1, 3);
    }
  });

  it('passes gradients to a single image too, each pixel the fraction of it that is visible', () => {
    const one = tf.slice(images(), [0, 0, 0, 0], [1, -1, -1, -1]) as tf.Tensor4D;
    const policy = ['translation', 'cutout'] as const;
    const gradient = tf.grad((x) => tf.sum(augment(x as tf.Tensor4D, 'key', policy)))(one);
    const seen = tf.notEqual(augment(tf.ones(one.shape), 'key', policy), 0);
    expect(new Set(gradient.dataSync())).toEqual(new Set([0, 1]));
    expect(tf.sum(gradient).dataSync()).toEqual(tf.sum(tf.cast(seen, 'float32')).dataSync());
  });
});
