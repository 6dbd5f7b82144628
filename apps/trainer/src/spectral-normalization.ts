/**
 * Spectral normalization (Miyato et al. 2018, arXiv:1802.05957): a network that divides each of its
 * kernels by the largest singular value that it has as a matrix `[all inputs of an output, outputs]`.
 *
 * @module
 */
import type { Network, NetworkWeights } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';

/**
 * How often the matrix KᵀK is squared. The paper takes one step of the power method in each training step and
 * keeps the vector; 2⁶ of them at once keep nothing, so a checkpoint has all that a run needs without it.
 */
const SQUARINGS = 6;

/** The kernels of a network, each divided by its largest singular value, and the other weights. */
export function normalizeSpectra(network: Network, weights: NetworkWeights): NetworkWeights {
  return new Map(
    network.weights.map(({ name }) => {
      const weight = weights.get(name)!;
      return [
        name,
        name.endsWith('/kernel') ? tf.div(weight, largestSingularValue(weight)) : weight,
      ];
    }),
  );
}

/**
 * The largest singular value of a kernel, its last axis the outputs. Its gradient is that at the
 * singular vectors, which stand still, as in the paper.
 */
export function largestSingularValue(kernel: tf.Tensor): tf.Tensor {
  const outputs = kernel.shape.at(-1)!;
  const matrix = tf.reshape(kernel, [-1, outputs]) as tf.Tensor2D;
  const vector = tf.customGrad((x) => ({
    value: rightSingularVector(x as tf.Tensor2D),
    gradFunc: () => tf.zerosLike(x as tf.Tensor),
  }))(matrix);
  return tf.norm(tf.matMul(matrix, vector as tf.Tensor2D));
}

/** `[outputs, 1]` of length 1. */
function rightSingularVector(matrix: tf.Tensor2D): tf.Tensor2D {
  let power = tf.matMul(matrix, matrix, true, false) as tf.Tensor2D;
  for (let i = 0; i < SQUARINGS; i++) {
    const scaled = tf.div(power, tf.max(tf.abs(power))) as tf.Tensor2D;
    power = tf.matMul(scaled, scaled);
  }
  // Its longest column: no vector to begin with can be at a right angle to the one sought.
  const lengths = tf.sum(tf.square(power), 0);
  const column = tf.reshape(tf.oneHot(tf.argMax(lengths), power.shape[0]), [-1, 1]) as tf.Tensor2D;
  const vector = tf.matMul(power, tf.cast(column, 'float32'));
  return tf.div(vector, tf.norm(vector)) as tf.Tensor2D;
}
