/**
 * The engine on WebGPU, where a browser has it: tfjs's own kernels, whose sums round differently.
 *
 * @module
 */
import { loadGeneratorFile, toNearestClass, toPicture } from '@killme/model';
import { compileGenerator } from '@killme/model/inference';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { AnyGenerator } from '../generator/generator.ts';
import { estimateRenderMs } from '../generator/render-cost.ts';
import { readGeneratorFile, serveRequests } from './serve-requests.ts';

await serveRequests(openGenerator());

async function openGenerator(): Promise<AnyGenerator> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter || !(await tf.setBackend('webgpu'))) {
    throw new Error('this browser has no graphics processor that WebGPU can use');
  }
  const { manifest, hash, network, weights } = await loadGeneratorFile(readGeneratorFile);
  const { generate } = compileGenerator(network, weights);
  return {
    manifest,
    hash,
    latentSpace: manifest.latent,
    renderMs: estimateRenderMs(network, manifest.arithmetic),
    async render(latent) {
      const image = generate(toNearestClass(latent, manifest.latent), 1); // [1, height, width, channels]
      try {
        return toPicture(await image.data<'float32'>(), manifest.image);
      } finally {
        image.dispose();
      }
    },
  };
}
