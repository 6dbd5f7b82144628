import type * as tf from '@tensorflow/tfjs-core';
import { stackLatents } from '../latents/latent.ts';

/** What makes images of latents: a compiled generator, or a network that is being trained. */
export interface ImageSource {
  /**
   * @param latents `[count, latent size]`, flat
   * @returns `[count, height, width, channels]`; the caller disposes of it.
   */
  generate(latents: Float32Array, count: number): tf.Tensor;
}

/**
 * The images of latents in their order, `[height, width, channels]` each, in the generator's own range.
 * @param options.batchSize images that are made at a time. One needs the least memory: 25 images at the
 *   article's size in one batch take gigabytes.
 */
export async function* renderLatents(
  source: ImageSource,
  latents: readonly Float32Array[],
  { batchSize = 1 } = {},
): AsyncGenerator<Float32Array> {
  for (let start = 0; start < latents.length; start += batchSize) {
    const batch = latents.slice(start, start + batchSize);
    const images = source.generate(stackLatents(batch), batch.length);
    const values = await images.data<'float32'>();
    images.dispose();
    const length = values.length / batch.length;
    for (let i = 0; i < batch.length; i++) yield values.subarray(i * length, (i + 1) * length);
  }
}
