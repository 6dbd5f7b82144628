/**
 * The latents of a dataset's images, sampled from their posteriors.
 *
 * @module
 */
import { type Dataset, takeBatch } from '@killme/data';
import { createRandom } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { Matrix } from 'ml-matrix';
import { encodePosterior, samplePosterior } from './encoder.ts';
import type { PlacedNetwork } from './network-state.ts';
import { normal } from './normal.ts';

/** The least number of latents to sample; of few images more are sampled for each. */
const LEAST_LATENTS = 2_048;

/** Two of an image show how much they differ. */
const LEAST_SAMPLES = 2;

/** Images encoded at once. */
const BATCH = 32;

/** Latents of real images, not whitened; equally many of each image. */
export interface RealLatents {
  /** `[n, components]` */
  latents: Matrix;
  /** `[n]`, index of the image of each. */
  images: number[];
  /** `[n]`, the class of each. */
  labels: number[];
}

/**
 * @param key names the random numbers.
 * @param leastSamples of each image
 */
export async function sampleRealLatents(
  encoder: PlacedNetwork,
  dataset: Dataset,
  key: string,
  leastSamples = LEAST_SAMPLES,
): Promise<RealLatents> {
  const { imageSize: side, count } = dataset;
  const random = createRandom(key);
  const samples = Math.max(leastSamples, Math.ceil(LEAST_LATENTS / count));
  const rows: number[][] = [];
  const images: number[] = [];
  for (let start = 0; start < count; start += BATCH) {
    const size = Math.min(BATCH, count - start);
    const indices = Array.from({ length: size }, (_, i) => start + i);
    const { images: pixels } = takeBatch(dataset, indices);
    const sampled = tf.tidy(() => {
      const posterior = encodePosterior(encoder, tf.tensor4d(pixels, [size, side, side, 3]));
      const { shape } = posterior.mean;
      const noises = Array.from({ length: samples }, () => normal(random, size * shape[1]));
      return tf.concat(
        noises.map((noise) => samplePosterior(posterior, tf.tensor2d(noise, shape))),
      );
    });
    rows.push(...(await sampled.array()));
    for (let sample = 0; sample < samples; sample++) images.push(...indices);
    sampled.dispose();
  }
  const labels = images.map((image) => dataset.labels[image]!);
  return { latents: new Matrix(rows), images, labels };
}

/** `[components, components]`: how much the latents of one image differ, the mean over images. */
export function noiseCovariance({ latents, images }: Omit<RealLatents, 'labels'>): Matrix {
  const rowsOf = Map.groupBy(images.keys(), (row) => images[row]!);
  const centred = latents.clone();
  for (const rows of rowsOf.values()) {
    const mean = new Matrix([latents.selection(rows, columnsOf(latents)).mean('column')]);
    for (const row of rows) centred.setRow(row, Matrix.sub(latents.getRowVector(row), mean));
  }
  // Each image's mean takes one of its samples.
  return centred
    .transpose()
    .mmul(centred)
    .div(latents.rows - rowsOf.size);
}

const columnsOf = ({ columns }: Matrix) => Array.from({ length: columns }, (_, i) => i);
