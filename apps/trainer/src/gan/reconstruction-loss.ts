/**
 * How far a reconstruction is from its image: nearly the loss Lap₁ of Bojanowski et al. 2018 ("GLO", arXiv:1707.05776).
 *
 * The mean absolute error of pixels alone is lowest when whatever is small and never in the same place is
 * omitted, the mouth of a face for one: its few pixels weigh little. In the bands of a Laplacian
 * pyramid (Burt & Adelson 1983), each of which has its own mean, they weigh more.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';

/** Bands get no smaller than this, in pixels. */
const SMALLEST = 8;

/**
 * What the rest counts against a band of detail. With 1, as in the paper, all backgrounds have one colour
 * for thousands of iterations; with 4, faces take as long (docs/methods.md).
 */
const REST_WEIGHT = 2;

/** [1 3 3 1], even, so that at a stride of 2 it lies about the middle of the pixels that it joins. */
const FILTER = [1 / 8, 3 / 8, 3 / 8, 1 / 8];

/**
 * The pyramid is linear, so that of the difference is the difference of the pyramids.
 *
 * @param real `[n, side, side, channel]`
 * @param reconstructed of the same shape and unit
 * @returns the sum over bands of the mean absolute difference in each: those of detail, from the whole
 * side down by halves, and the rest, which counts twice. Beyond the borders the difference is 0.
 */
export function reconstructionLossOf(real: tf.Tensor4D, reconstructed: tf.Tensor4D): tf.Scalar {
  return tf.tidy(() => {
    const filter = filterOf(real.shape[3]);
    const errors: tf.Tensor[] = [];
    let rest = tf.sub(reconstructed, real);
    while (rest.shape[1]! % 2 === 0 && rest.shape[1]! > SMALLEST) {
      const smaller = tf.conv2d(rest as tf.Tensor4D, filter, 2, 'same');
      const shape = rest.shape as [number, number, number, number];
      const guess = tf.mul(tf.conv2dTranspose(smaller, filter, shape, 2, 'same'), 4);
      errors.push(tf.mean(tf.abs(tf.sub(rest, guess))));
      rest = smaller;
    }
    errors.push(tf.mul(tf.mean(tf.abs(rest)), REST_WEIGHT));
    return tf.addN(errors) as tf.Scalar;
  });
}

/** {@link FILTER} both ways, of each channel alone: `[4, 4, channels, channels]`. */
function filterOf(channels: number): tf.Tensor4D {
  const line = tf.tensor1d(FILTER);
  const square = tf.reshape(tf.outerProduct(line, line), [FILTER.length, FILTER.length, 1, 1]);
  return tf.mul(square, tf.eye(channels)) as tf.Tensor4D;
}
