/**
 * The generator that is shown and exported: the exponential moving average (EMA) of G's weights over its
 * steps (Yazıcı et al. 2018, arXiv:1806.04498), with normalization statistics of its own.
 *
 * @module
 */
import { createRandom, type LatentSpace, type Network, randomLatents } from '@killme/model';
import { applyNetwork, moveAverages } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { feed } from '../engines/feed.ts';
import { type NetworkState, trainableSpecs, updateMovingStatistics } from './network-state.ts';
import { updateSharedStart } from './shared-start.ts';

/** Weights by name; it owns its tensors, and an update replaces them. */
export type EmaWeights = Map<string, tf.Tensor>;

/** Latents whose statistics are measured; four times the batch of a step of G, at the cost of a step. */
const CALIBRATION_LATENTS = 32;

/** A copy of a network's weights in memory of its own, at which the EMA begins. */
export function copyWeights({ weights }: NetworkState): EmaWeights {
  return new Map([...weights].map(([name, tensor]) => [name, tf.mul(tensor, 1)]));
}

/**
 * Moves an EMA towards the network's weights: ema ← decay · ema + (1 − decay) · weight.
 * In the first steps the decay is min(decay, (1 + steps) / (10 + steps)), so that the EMA forgets the
 * initial weights. Moving statistics, and a kernel that is made of other weights, stay: see {@link calibrateEma}.
 */
export function updateEma(ema: EmaWeights, state: NetworkState, decay: number): void {
  const { network, weights } = state;
  const rate = feed([], () =>
    Float32Array.of(1 - Math.min(decay, (1 + state.steps) / (10 + state.steps))),
  ) as tf.Scalar;
  const names = trainableSpecs(network).map(({ name }) => name);
  const old = names.map((name) => ema.get(name)!);
  const now = names.map((name) => weights.get(name)!);
  for (const [i, next] of moveAverages(old, now, rate).entries()) ema.set(names[i]!, next);
  tf.dispose(old);
  rate.dispose();
}

/**
 * Gives the EMA of a GAN, where it has one, the statistics of its own activations over a batch of
 * latents that `seed` fixes: G's moving statistics are those of other weights and of its last few batches. A
 * kernel that cells share is made of its factors first.
 * Call it before the EMA is shown or saved; training does not depend on it.
 */
export function calibrateEma(
  { generator: { network }, ema }: { generator: NetworkState; ema: EmaWeights | undefined },
  { seed, latent }: { seed: number; latent: LatentSpace },
): void {
  if (!ema) return;
  updateSharedStart({ network, weights: ema });
  const random = createRandom(`${seed}/calibration latents`);
  const values = randomLatents(random, CALIBRATION_LATENTS, latent);
  const statistics = new Map();
  tf.tidy(() => {
    const latents = tf.tensor2d(values, [CALIBRATION_LATENTS, latent.size]);
    applyNetwork(network, ema, latents, { training: true, dropoutMask: noDropout, statistics });
  });
  updateMovingStatistics({ network: withoutMomentum(network), weights: ema }, statistics);
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
  throw new Error(`a generator has no dropout, but ${layer} is one`);
};
