/**
 * A first layer of G whose cells read the latent alike: one kernel takes it to a number for each channel, and a
 * learnt basis says how strong a channel is in each of the 4×4 cells.
 *
 *     kernel[z, cell, channel] = shared[z, channel] · basis[cell, channel]
 *
 * Without it every cell reads the latent by itself, and where a latent lies between two colours of the
 * background one cell chooses this and another that: clouds. R3GAN begins so (Huang et al. 2024,
 * arXiv:2501.05441, "GenerativeBasis"). In the generator file the product is the kernel of the Dense layer that
 * it stands for; the two factors are in checkpoints alone.
 *
 * @module
 */
import type { Network } from '@killme/model';
import type { NetworkWeights } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { cellsAt } from './mapping-network.ts';

/** The names of the factors among the weights of G. */
export const SHARED_START = {
  /** `[latent, channels]` */
  kernel: 'shared_start/kernel',
  /** `[cells, channels]` */
  basis: 'shared_start/basis',
} as const;

/**
 * G with the factors among its weights; the kernel that is their product is not trained by itself.
 * @throws Error when the network has no dense layer that is reshaped to cells.
 */
export function withSharedStart(network: Network): Network {
  const { dense, inputs, cells, channels } = startOf(network);
  return {
    ...network,
    weights: [
      ...network.weights.map((spec) =>
        spec.name === `${dense}/kernel` ? { ...spec, trainable: false } : spec,
      ),
      {
        name: SHARED_START.kernel,
        shape: [inputs, channels],
        initializer: 'glorotUniform',
        trainable: true,
      },
      // Numbers with a standard deviation of 1, as R3GAN's basis has at first, so that channels differ by cell.
      {
        name: SHARED_START.basis,
        shape: [cells, channels],
        initializer: 'unitUniform',
        trainable: true,
      },
    ],
  };
}

export const hasSharedStart = ({ weights }: Network): boolean =>
  weights.some(({ name }) => name === SHARED_START.basis);

/**
 * The weights of G with its kernel as a function of the factors, so that gradients reach them. The product is not
 * made again: {@link updateSharedStart} has made it.
 */
export function followSharedStart(network: Network, weights: NetworkWeights): NetworkWeights {
  if (!hasSharedStart(network)) return weights;
  const name = `${startOf(network).dense}/kernel`;
  const product = tf.customGrad((...given: unknown[]) => {
    const [shared, basis, save] = given as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    save([shared, basis]);
    return { value: tf.clone(weights.get(name)!), gradFunc: gradientsOfFactors };
  });
  const { kernel, basis } = factorsOf(weights);
  return new Map(weights).set(name, product(kernel, basis));
}

/** @param gradient of the kernel, `[inputs, cells · channels]` @param factors kernel and basis */
function gradientsOfFactors(gradient: tf.Tensor, factors: tf.Tensor[]): tf.Tensor[] {
  const [shared, basis] = factors as [tf.Tensor2D, tf.Tensor2D];
  const [inputs, channels] = shared.shape;
  const byCell = tf.reshape(gradient, [inputs, basis.shape[0], channels]);
  return [
    tf.sum(tf.mul(byCell, tf.expandDims(basis, 0)), 1),
    tf.sum(tf.mul(byCell, tf.expandDims(shared, 1)), 0),
  ];
}

/** Makes the kernel of the factors, in place: of a fresh G, and after they have moved. */
export function updateSharedStart({
  network,
  weights,
}: {
  network: Network;
  weights: Map<string, tf.Tensor>;
}): void {
  if (!hasSharedStart(network)) return;
  const name = `${startOf(network).dense}/kernel`;
  weights.get(name)!.dispose();
  weights.set(
    name,
    tf.tidy(() => kernelOf(weights)),
  );
}

function kernelOf(weights: NetworkWeights): tf.Tensor2D {
  const { kernel, basis } = factorsOf(weights);
  const byCell = tf.mul(tf.expandDims(kernel, 1), tf.expandDims(basis, 0));
  return tf.reshape(byCell, [kernel.shape[0], basis.size]);
}

const factorsOf = (weights: NetworkWeights) => ({
  kernel: weights.get(SHARED_START.kernel) as tf.Tensor2D,
  basis: weights.get(SHARED_START.basis) as tf.Tensor2D,
});

function startOf({ name, layers }: Network): {
  dense: string;
  inputs: number;
  cells: number;
  channels: number;
} {
  const [dense, reshape] = layers.slice(cellsAt({ layers }));
  const shape = reshape?.layer.type === 'reshape' ? reshape.layer.shape : [];
  if (dense?.layer.type !== 'dense' || shape.length !== 3) {
    throw new Error(`the ${name} has no dense layer onto cells`);
  }
  return {
    dense: dense.name,
    inputs: dense.inputShape[0]!,
    cells: shape[0]! * shape[1]!,
    channels: shape[2]!,
  };
}
