import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import { registerTrainingKernels } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { reconstructionLossOf } from './reconstruction-loss.ts';

/** A picture that is 0 but for a rectangle of 1. */
function rectangle(
  side: number,
  { y, x, height, width }: { y: number; x: number; height: number; width: number },
  channels = 1,
): tf.Tensor4D {
  const buffer = tf.buffer([1, side, side, channels] as [number, number, number, number]);
  for (let i = y; i < y + height; i++) {
    for (let j = x; j < x + width; j++) buffer.set(1, 0, i, j, 0);
  }
  return buffer.toTensor() as tf.Tensor4D;
}

const pixel = { y: 7, x: 7, height: 1, width: 1 };

const lossOf = (reconstructed: tf.Tensor4D) =>
  reconstructionLossOf(tf.zerosLike(reconstructed), reconstructed).dataSync<'float32'>()[0]!;

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

describe('reconstructionLossOf', () => {
  it('is twice the mean absolute error of images that have no band of detail', () => {
    expect(lossOf(rectangle(8, pixel))).toBeCloseTo(2 / 64, 7);
  });

  it('is what a wrong pixel comes to by hand', () => {
    // Each way the pixel makes 3/8 and 1/8 of two of the 8 places; both ways that is 1/4 in all. Brought
    // back, (6 18 20 12 6 2) / 64 each way: 1 in all, of which (20 / 64)² lie where the pixel is.
    const back = (20 / 64) ** 2;
    const detail = (1 - back + (1 - back)) / 16 ** 2;
    expect(lossOf(rectangle(16, pixel))).toBeCloseTo(detail + (2 * 1) / 4 / 8 ** 2, 7);
  });

  it('takes each channel for itself: one wrong of three is a third', () => {
    const one = lossOf(rectangle(16, pixel));
    expect(lossOf(rectangle(16, pixel, 3))).toBeCloseTo(one / 3, 7);
  });

  it('is of the difference alone, and the same either way', () => {
    const real = rectangle(32, { y: 3, x: 5, height: 9, width: 2 });
    const reconstructed = tf.mul(
      rectangle(32, { y: 20, x: 1, height: 4, width: 30 }),
      0.5,
    ) as tf.Tensor4D;
    const loss = reconstructionLossOf(real, reconstructed).dataSync()[0]!;
    expect(loss).toBeGreaterThan(0);
    expect(reconstructionLossOf(reconstructed, real).dataSync()[0]).toBeCloseTo(loss, 7);
    expect(reconstructionLossOf(real, real).dataSync()[0]).toBe(0);
  });

  it('counts a stroke for more than as much of pixel error spread over all of the image', () => {
    const stroke = rectangle(128, { y: 80, x: 56, height: 3, width: 16 });
    const spread = tf.fill(stroke.shape, 48 / 128 ** 2) as tf.Tensor4D;
    expect(lossOf(stroke)).toBeGreaterThan(2 * lossOf(spread));
  });

  it('has the gradient of what grows as the difference does: along it, the error itself (Euler)', () => {
    const reconstructed = tf.randomUniform([1, 32, 32, 2], -1, 1, 'float32', 3) as tf.Tensor4D;
    const real = tf.randomUniform([1, 32, 32, 2], -1, 1, 'float32', 4) as tf.Tensor4D;
    const gradient = tf.grad((x) => reconstructionLossOf(real, x as tf.Tensor4D))(reconstructed);
    const slope = tf.sum(tf.mul(gradient, tf.sub(reconstructed, real))).dataSync()[0]!;
    expect(slope).toBeCloseTo(reconstructionLossOf(real, reconstructed).dataSync()[0]!, 5);
  });

  it('leaves no tensor behind but the error', () => {
    const reconstructed = rectangle(16, pixel);
    const before = tf.memory().numTensors;
    reconstructionLossOf(reconstructed, reconstructed).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
