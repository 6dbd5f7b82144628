/**
 * Generators of others on the loops in wasm: files of real Keras and what it predicts, made by
 * test/reference/make_layers.py.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { encodeWeight } from '@killme/model';
import { compileGenerator, type StepMaker } from '@killme/model/inference';
import { readKerasGenerator } from '@killme/model/keras';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { compileBinaries } from '../runtimes/disk.ts';
import { startBackend } from './backend.ts';

const LAYERS = resolve(import.meta.dirname, '../../../../test/reference/layers');
const reference = JSON.parse(readFileSync(join(LAYERS, 'layers.json'), 'utf8'));

let startSteps: () => StepMaker;
beforeAll(async () => {
  startSteps = await startBackend(await compileBinaries());
  await tf.setBackend('wasm');
});

it.each([
  ...['mlp.h5', 'normalization_before_reshape.keras', 'strides.keras', 'valid.keras'],
  ...['output_padding.keras', 'activations.keras', 'resizing.keras', 'normalizations.keras'],
  ...['separable.keras', 'one_pixel.keras', 'skips.keras', 'conditional_embedding.keras'],
])('%s renders on wasm what Keras predicts', async (file) => {
  const bytes = new Uint8Array(readFileSync(join(LAYERS, file)));
  const { network, weights, classes } = await readKerasGenerator(bytes, { file });
  const stored = network.weights.map(
    ({ name, shape }) => [name, encodeWeight(weights.get(name)!, shape, 'float32')] as const,
  );
  const generator = compileGenerator(network, new Map(stored), { steps: startSteps() });
  const latents = reference.latents.flatMap((latent: number[], i: number) =>
    classes > 0 ? [...latent, ...reference.classes[i]] : latent,
  );
  const made = generator.generate(Float32Array.from(latents), reference.latents.length);
  const ours = made.dataSync<'float32'>();
  const { images } = reference.models[file.split('.')[0]!];
  // Outputs of up to 255 in one of them.
  const scale = file === 'resizing.keras' ? 127.5 : 1;
  images.forEach((value: number, i: number) => {
    expect(Math.abs(ours[i]! - value) / scale).toBeLessThan(1e-4);
  });
  made.dispose();
  generator.dispose();
});
