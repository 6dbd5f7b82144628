import type { Network } from '@killme/model';
import type { Preset } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { copyWeights, type EmaWeights } from './ema.ts';
import { withFrozenMapping, writeMapping } from './mapping-network.ts';
import { disposeNetwork, initializeNetwork, type NetworkState } from './network-state.ts';
import { updateSharedStart, withSharedStart } from './shared-start.ts';

/** The networks that are trained together. It owns all their tensors: see {@link disposeGan}. */
export interface Gan {
  generator: NetworkState;
  discriminator: NetworkState;
  /** Encodes real images as latents and learns with G, where the reconstruction loss has a weight. */
  encoder?: NetworkState | undefined;
  /** The exponential moving average of G's weights, by name, where the preset keeps one. */
  ema: EmaWeights | undefined;
}

/** A GAN before its first step; `seed` fixes its weights. */
export function initializeGan(preset: Preset, seed: number): Gan {
  const generator = initializeNetwork(trainedGenerator(preset), `${seed}/weights/generator`);
  updateSharedStart(generator);
  writeMapping(generator);
  return {
    generator,
    discriminator: initializeDiscriminator(preset, seed),
    encoder: preset.encoder && initializeNetwork(preset.encoder, `${seed}/weights/encoder`),
    ema: hasEma(preset) ? copyWeights(generator) : undefined,
  };
}

/** The generator as it is trained: with weights that the exported one does not have, where methods need them. */
export function trainedGenerator({ generator, training }: Preset): Network {
  const network = withFrozenMapping(generator);
  return training.methods?.sharedStart ? withSharedStart(network) : network;
}

/** D before its first step. */
export function initializeDiscriminator({ discriminator }: Preset, seed: number): NetworkState {
  return initializeNetwork(discriminator, `${seed}/weights/discriminator`);
}

/** Whether a preset shows and exports the EMA of G. */
export const hasEma = ({ training }: Pick<Preset, 'training'>): boolean =>
  (training.methods?.emaDecay ?? 0) > 0;

export function disposeGan({ generator, discriminator, encoder, ema }: Gan): void {
  disposeNetwork(generator);
  disposeNetwork(discriminator);
  if (encoder) disposeNetwork(encoder);
  if (ema) tf.dispose([...ema.values()]);
}
