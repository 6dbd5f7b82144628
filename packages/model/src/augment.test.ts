import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom, diffAugment, product } from './index.ts';

const shape: [number, number, number, number] = [4, 16, 16, 3];
const images = () => tf.tensor4d(createRandom('images').uniform(product(shape)), shape);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('diffAugment', () => {
  it('changes each image in its own way, the same for the same key', () => {
    const one = tf.slice(images(), [0, 0, 0, 0], [1, -1, -1, -1]) as tf.Tensor4D;
    const same = tf.concat([one, one, one, one]) as tf.Tensor4D;
    const first = tf.unstack(diffAugment(same, 'key')).map((image) => [...image.dataSync()]);
    expect(new Set(first.map((values) => values.join())).size).toBe(4);
    expect(diffAugment(same, 'key').dataSync()).toEqual(diffAugment(same, 'key').dataSync());
    expect(diffAugment(same, 'key').dataSync()).not.toEqual(diffAugment(same, 'other').dataSync());
  });

  it('cuts a square of half the side, as far as it lies inside, and shifts by an eighth at most', () => {
    // Of a plain white image colour changes leave a plain one, so what is 0 was cut or shifted in.
    const white = tf.ones([64, 16, 16, 3]) as tf.Tensor4D;
    const shares = tf.mean(tf.cast(tf.equal(diffAugment(white, 'key'), 0), 'float32'), [1, 2, 3]);
    const [least, most] = [Math.min(...shares.dataSync()), Math.max(...shares.dataSync())];
    // A corner of a quarter of the square at least; the whole square and both shifted edges at most.
    expect(least).toBeGreaterThanOrEqual(16 / 256);
    expect(most).toBeLessThanOrEqual((64 + 2 * 32) / 256);
  });

  it('lets gradients through: they agree with finite differences', () => {
    const x = images();
    const weights = tf.tensor4d(createRandom('weights').uniform(product(shape)), shape);
    const loss = (value: tf.Tensor) =>
      tf.sum(tf.mul(diffAugment(value as tf.Tensor4D, 'key'), weights)) as tf.Scalar;
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
});
