/**
 * The generator that is shown and exported: an average of G's weights over its steps (Yazıcı et al.
 * 2018, arXiv:1806.04498), with normalization statistics of its own.
 *
 * @module
 */
import { createRandom, type LatentSpace, type Network, randomLatents } from '@killme/model';
import { applyNetwork } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { Gan } from './article-step.ts';
import { type NetworkState, trainableSpecs, updateMovingStatistics } from './network-state.ts';

/** Weights by name; it owns its tensors, and an update replaces them. */
export type AverageWeights = Map<string, tf.Tensor>;

/** Latents that statistics are measured over; four times what a step of G has, at the price of a step. */
const CALIBRATION_LATENTS = 32;

/** A copy of a network's weights to average from. */
export function copyWeights({ weights }: NetworkState): AverageWeights {
  return new Map([...weights].map(([name, tensor]) => [name, tf.clone(tensor)]));
}

/**
 * Moves an average towards the network's weights: average ← decay · average + (1 − decay) · weight.
 * In the first steps decay is smaller, so that the average forgets how the network began. Moving
 * statistics stay: {@link calibrateAverage} measures them.
 */
export function updateAverage(
  average: AverageWeights,
  { network, weights, steps }: NetworkState,
  decay: number,
): void {
  const share = Math.min(decay, (1 + steps) / (10 + steps));
  for (const { name } of trainableSpecs(network)) {
    const old = average.get(name)!;
    const next = tf.tidy(() => tf.add(old, tf.mul(tf.sub(weights.get(name)!, old), 1 - share)));
    average.set(name, next);
    old.dispose();
  }
}

/**
 * Gives a GAN's average, where it keeps one, the statistics of its own activations over a batch of
 * latents that `seed` fixes: G's moving statistics are of other weights, and of its last few batches.
 * To be called before the average is shown or saved; training does not depend on it.
 */
export function calibrateAverage(
  { generator: { network }, average }: Gan,
  { seed, latent }: { seed: number; latent: LatentSpace },
): void {
  if (!average) return;
  const random = createRandom(`${seed}/calibration latents`);
  const values = randomLatents(random, CALIBRATION_LATENTS, latent);
  const statistics = new Map();
  tf.tidy(() => {
    const latents = tf.tensor2d(values, [CALIBRATION_LATENTS, latent.size]);
    applyNetwork(network, average, latents, { training: true, dropoutMask: noDropout, statistics });
  });
  updateMovingStatistics({ network: withoutMomentum(network), weights: average }, statistics);
}

/** With momentum 0 the moving statistics become those of the batch. */
function withoutMomentum(network: Network): Network {
  const layers = network.layers.map((placed) =>
    placed.layer.type === 'batchNormalization'
      ? { ...placed, layer: { ...placed.layer, momentum: 0 } }
      : placed,
  );
  return { ...network, layers };
}

const noDropout = (layer: string): tf.Tensor => {
  throw new Error(`a generator does not drop out, but ${layer} does`);
};
