/**
 * A first layer of G that all cells share: each of its 4×4 cells gets the same numbers from a latent, and
 * differs by its bias alone.
 *
 * Without it every cell reads the latent by itself, and where a latent lies between two colours of the
 * background one cell chooses this and another that: clouds. R3GAN begins in a like way, from a learnt
 * picture whose channels the latent scales (Huang et al. 2024, arXiv:2501.05441, "GenerativeBasis"). The
 * layer stays the Dense layer it is in the file; its kernel has equal columns.
 *
 * @module
 */
import { createRandom, type Network } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { type NetworkState, trainableSpecs } from './network-state.ts';

/** How far biases lie from 0 at first: about as far as the numbers that the kernel brings. */
const BIAS_RANGE = 1;

/**
 * Gives every cell the kernel of the first, and biases that make them differ, in place.
 * @param key names the random biases.
 */
export function shareStart(
  { network, weights }: Pick<NetworkState, 'network' | 'weights'>,
  key: string,
): void {
  const { kernel, bias, cells } = startOf(network);
  const zeros = weights.get(bias)!;
  const values = createRandom(`${key}/${bias}`).uniform(zeros.size);
  weights.set(bias, tf.tensor1d(values.map((value) => value * BIAS_RANGE)));
  zeros.dispose();
  const old = weights.get(kernel) as tf.Tensor2D;
  const [rows, columns] = old.shape;
  // Glorot-uniform as for one cell; the bounds of a whole Dense layer would leave the biases alone to speak.
  const scale = Math.sqrt((rows + columns) / (rows + columns / cells));
  const first = tf.tidy(() =>
    tf.mul<tf.Tensor2D>(tf.slice(old, [0, 0], [rows, columns / cells]), scale),
  );
  weights.set(kernel, forEachCell(first, cells));
  first.dispose();
  old.dispose();
}

/**
 * The gradients of a generator whose cells share their kernel: that of each cell is the mean of all.
 * @param gradients one for each of `trainableSpecs`; the one of the kernel is disposed of and replaced.
 */
export function shareGradient(network: Network, gradients: tf.Tensor[]): void {
  const { kernel, cells } = startOf(network);
  const index = trainableSpecs(network).findIndex(({ name }) => name === kernel);
  const own = gradients[index] as tf.Tensor2D;
  const [rows, columns] = own.shape;
  gradients[index] = tf.tidy(() => {
    const byCell = tf.reshape(own, [rows, cells, columns / cells]);
    return forEachCell(tf.mean(byCell, 1), cells);
  });
  own.dispose();
}

/** `[rows, channels]` → `[rows, cells · channels]` */
function forEachCell(matrix: tf.Tensor2D, cells: number): tf.Tensor2D {
  return tf.tile(matrix, [1, cells]);
}

/** @throws Error when the network does not begin with a dense layer that is reshaped to cells. */
function startOf({ name, layers }: Network): { kernel: string; bias: string; cells: number } {
  const [dense, reshape] = layers;
  const shape = reshape?.layer.type === 'reshape' ? reshape.layer.shape : [];
  if (dense?.layer.type !== 'dense' || shape.length !== 3) {
    throw new Error(`the ${name} does not begin with a dense layer onto cells`);
  }
  const cells = shape[0]! * shape[1]!;
  return { kernel: `${dense.name}/kernel`, bias: `${dense.name}/bias`, cells };
}
