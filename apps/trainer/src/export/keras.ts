import { type Network, stackLatents } from '@killme/model';
import { compileGenerator } from '@killme/model/inference';
import {
  hasKerasLayers,
  writeKerasArchive,
  writeKerasH5,
  writeKerasWeights,
} from '@killme/model/keras';
import { applyNetwork, type Preset } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '../engines/start.ts';
import { toHostWeights } from '../gan/network-state.ts';
import type { RunRecord } from '../run/record.ts';
import { fixedLatents } from '../run/samples.ts';

type Weights = ReadonlyMap<string, Float32Array>;

/** A preset's two networks with their weights, on the host. */
export interface TrainedGan {
  preset: Preset;
  generator: Weights;
  discriminator: Weights;
}

/**
 * `generator` and `discriminator` as `.h5`, `.keras` and `.weights.h5`; a discriminator with a layer
 * that Keras does not have is omitted.
 */
export async function kerasFiles({
  preset,
  ...weights
}: TrainedGan): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of ['generator', 'discriminator'] as const) {
    if (!hasKerasLayers(preset[name])) continue;
    files.set(`${name}.h5`, await writeKerasH5(preset[name], weights[name]));
    files.set(`${name}.keras`, await writeKerasArchive(preset[name], weights[name]));
    files.set(`${name}.weights.h5`, await writeKerasWeights(preset[name], weights[name]));
  }
  return files;
}

/**
 * Images of our inference and their probabilities by our discriminator: JSON with `latents`
 * `[count][latentSize]`, `shape`, `images` (flat) and, where D is written for Keras,
 * `probabilities` `[count]`.
 */
export async function referenceSamples(
  { preset, generator, discriminator }: TrainedGan,
  record: RunRecord,
  count: number,
): Promise<Uint8Array> {
  await startEngine('wasm', console.log);
  const latents = fixedLatents(record.options.seed, preset.latent).slice(0, count);
  const compiled = compileGenerator(preset.generator, toHostWeights(preset.generator, generator));
  const images = compiled.generate(stackLatents(latents), latents.length);
  const probabilities = hasKerasLayers(preset.discriminator)
    ? judge(preset.discriminator, discriminator, images)
    : undefined;
  const samples = {
    latents: latents.map((latent) => [...latent]),
    shape: images.shape,
    images: [...(await images.data())],
    ...(probabilities ? { probabilities: [...(await probabilities.data())] } : {}),
  };
  compiled.dispose();
  tf.dispose([images, ...(probabilities ? [probabilities] : [])]);
  return new TextEncoder().encode(JSON.stringify(samples));
}

function judge(network: Network, values: Weights, images: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const weights = network.weights.map(
      ({ name, shape }) => [name, tf.tensor(values.get(name)!, [...shape])] as const,
    );
    return applyNetwork(network, new Map(weights), images, { training: false });
  });
}
