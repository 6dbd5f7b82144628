/**
 * Where the latents of real images lie, in the components that tell images apart: the others are noise, whose
 * distribution is right.
 *
 * @module
 */
import type { Dataset } from '@killme/data';
import { type LatentSpace, WHITENING } from '@killme/model';
import type * as tf from '@tensorflow/tfjs-core';
import { Matrix } from 'ml-matrix';
import { UNIT } from './mapping-network.ts';
import type { NetworkState } from './network-state.ts';
import { noiseCovariance, sampleRealLatents } from './real-latents.ts';

/** Latents sampled of each image. */
const SAMPLES = 16;

/** A component says something of its image where the latents of one image differ less than so, of all = 1. */
const MOST_NOISE = 0.5;

/** The latents of real images that tell them apart, in units of one standard deviation. */
export interface LatentCloud {
  /** `[n][components]` */
  points: readonly Float32Array[];
  /** `[n]`, the class of each. */
  labels: readonly number[];
  /** How many classes latents say; 0 where they say none. */
  classes: number;
  /** `[components]`, how much the latents of one image differ, of all = 1. */
  noise: readonly number[];
}

/** Latents of all images of a dataset, whitened, whose components are in the order of what they say. */
export async function encodeCloud(
  encoder: NetworkState,
  { dataset, space, key }: { dataset: Dataset; space: LatentSpace; key: string },
): Promise<LatentCloud> {
  const real = await sampleRealLatents(encoder, dataset, `${key}/cloud`, SAMPLES);
  const read = async (name: string) =>
    new Matrix(await (encoder.weights.get(name) as tf.Tensor2D).array());
  const [means, kernel] = [await read(WHITENING.mean), await read(WHITENING.kernel)];
  const centred = real.latents.clone();
  for (const [row, label] of real.labels.entries()) {
    const mean = means.getRowVector(means.rows === 1 ? 0 : label);
    centred.setRow(row, Matrix.sub(real.latents.getRowVector(row), mean));
  }
  const whitened = centred.mmul(kernel).mul(UNIT);
  const all = noiseCovariance({ latents: whitened, images: real.images }).diagonal();
  const noisy = all.findIndex((noise) => noise > MOST_NOISE);
  const noise = all.slice(0, noisy < 0 ? all.length : noisy);
  return {
    points: whitened.to2DArray().map((row) => Float32Array.from(row.slice(0, noise.length))),
    labels: real.labels,
    classes: space.classes?.length ?? 0,
    noise,
  };
}
