/**
 * Sliced Wasserstein distance between patches of images, band by band (Karras et al. 2018,
 * arXiv:1710.10196, §5): fine bands tell of texture, coarse ones of large structure.
 *
 * @module
 */
import { createRandom } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { normal } from '../gan/normal.ts';
import type { ImageSet } from './image-set.ts';
import { laplacianPyramid } from './laplacian-pyramid.ts';

/** Pixels along a patch; the paper's. */
const PATCH = 7;
const PATCH_SIZE = PATCH * PATCH * 3;
/** Patches of an image in each band; the paper's. */
const PATCHES = 128;
/** Directions that patches are projected on; the 4 × 128 of the paper's code. */
const DIRECTIONS = 512;
/** Directions at a time: what bounds memory. */
const SLICE = 128;
/** The coarsest band of the paper. */
const COARSEST = 16;

/** A distance for one band of detail. */
export interface BandDistance {
  /** Pixels along the band: 128 for the finest of a 128×128 image. */
  side: number;
  /** Times 10³, as the paper prints it. */
  distance: number;
}

/**
 * The distance of each of several sets to one reference set. Every set is normalised by its own mean
 * and deviation in each colour channel, as in the paper's code: a tint of all images does not count.
 *
 * @param reference as many images as each of `others` has, of the same size: a power of 2, from 16.
 * @param seed fixes the places of patches and the directions.
 * @returns for each of `others` its bands, the finest first.
 */
export async function slicedWasserstein(
  reference: ImageSet,
  others: readonly ImageSet[],
  seed: number,
): Promise<BandDistance[][]> {
  const levels = Math.log2(reference.imageSize / COARSEST) + 1;
  const results: BandDistance[][] = others.map(() => []);
  const sets = [reference, ...others].map((set) => patchesOfBands(set, levels, seed));
  for (let level = 0; level < levels; level++) {
    const side = reference.imageSize / 2 ** level;
    const distances = await projectedDistances(
      sets.map((bands) => bands[level]!),
      `killme/quality/v1/${seed}/directions/${side}`,
    );
    distances.forEach((distance, i) => {
      results[i]!.push({ side, distance: 1000 * distance });
    });
  }
  return results;
}

/** Patches of every image, band by band: `[count × 128, 147]` each, normalised. */
export function patchesOfBands(set: ImageSet, levels: number, seed: number): Float32Array[] {
  const { count, imageSize, images } = set;
  const bands = Array.from({ length: levels }, (_, level) => ({
    random: createRandom(`killme/quality/v1/${seed}/patches/${imageSize / 2 ** level}`),
    patches: new Float32Array(count * PATCHES * PATCH_SIZE),
  }));
  const pixels = imageSize * imageSize * 3;
  for (let i = 0; i < count; i++) {
    const values = Float32Array.from(images.subarray(i * pixels, (i + 1) * pixels));
    laplacianPyramid({ side: imageSize, values }, levels).forEach((band, level) => {
      const { random, patches } = bands[level]!;
      const corners = random.integers(2 * PATCHES, band.side - PATCH + 1);
      for (let p = 0; p < PATCHES; p++) {
        const [top, left] = [corners[2 * p]!, corners[2 * p + 1]!];
        for (let y = 0; y < PATCH; y++) {
          const from = ((top + y) * band.side + left) * 3;
          const to = (i * PATCHES + p) * PATCH_SIZE + y * PATCH * 3;
          patches.set(band.values.subarray(from, from + PATCH * 3), to);
        }
      }
    });
  }
  return bands.map(({ patches }) => normalizeChannels(patches));
}

/** Gives each colour channel of a set mean 0 and deviation 1, in place. */
function normalizeChannels(patches: Float32Array): Float32Array {
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0;
    for (let i = channel; i < patches.length; i += 3) sum += patches[i]!;
    const mean = (3 * sum) / patches.length;
    let squares = 0;
    for (let i = channel; i < patches.length; i += 3) squares += (patches[i]! - mean) ** 2;
    // A band without any detail stays 0 everywhere.
    const deviation = Math.sqrt((3 * squares) / patches.length) || 1;
    for (let i = channel; i < patches.length; i += 3) patches[i] = (patches[i]! - mean) / deviation;
  }
  return patches;
}

/**
 * The mean, over random directions, of the Wasserstein-1 distance between the projections of two sets
 * on a line: sorted, they pair off.
 * @param sets `[n, 147]` each; the first is the reference.
 * @returns for each but the first, its distance to the first.
 */
export async function projectedDistances(
  sets: readonly Float32Array[],
  key: string,
): Promise<number[]> {
  const size = PATCH_SIZE;
  const count = sets[0]!.length / size;
  const directions = unitVectors(key, { count: DIRECTIONS, size });
  const sums = new Float64Array(sets.length - 1);
  const matrices = sets.map((patches) => tf.tensor2d(patches, [count, size]));
  try {
    for (let start = 0; start < DIRECTIONS; start += SLICE) {
      const slice = tf.tensor2d(directions.subarray(start * size, (start + SLICE) * size), [
        SLICE,
        size,
      ]);
      const sorted: Float32Array[][] = [];
      for (const matrix of matrices) sorted.push(await sortedProjections(slice, matrix));
      slice.dispose();
      for (let i = 1; i < sorted.length; i++) {
        for (let d = 0; d < SLICE; d++) sums[i - 1]! += gap(sorted[0]![d]!, sorted[i]![d]!);
      }
    }
  } finally {
    tf.dispose(matrices);
  }
  return [...sums].map((sum) => sum / (count * DIRECTIONS));
}

async function sortedProjections(
  directions: tf.Tensor2D,
  patches: tf.Tensor2D,
): Promise<Float32Array[]> {
  const count = patches.shape[0];
  const product = tf.matMul(directions, patches, false, true);
  const values = (await product.data<'float32'>()).slice();
  product.dispose();
  return Array.from({ length: SLICE }, (_, d) =>
    values.subarray(d * count, (d + 1) * count).sort(),
  );
}

/** The sum of the distances between two sorted lists, place by place. */
export function gap(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum;
}

/** `[count, size]`, each row of length 1, uniform over the sphere. */
export function unitVectors(
  key: string,
  { count, size }: { count: number; size: number },
): Float32Array {
  const vectors = normal(createRandom(key), count * size);
  for (let d = 0; d < count; d++) {
    const vector = vectors.subarray(d * size, (d + 1) * size);
    const length = Math.hypot(...vector);
    for (let i = 0; i < size; i++) vector[i]! /= length;
  }
  return vectors;
}
