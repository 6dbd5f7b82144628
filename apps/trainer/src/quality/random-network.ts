/**
 * A fixed network of random weights whose features stand in for those of a trained one: nothing is
 * downloaded, and none of it knows any dataset. Random embeddings rank generators nearly as trained
 * ones do (Naeem et al. 2020, arXiv:2002.09797; arXiv:2208.09218).
 *
 * @module
 */
import { createRandom } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { normal } from '../gan/normal.ts';
import type { Features } from './features.ts';
import type { ImageSet } from './image-set.ts';

/** Filters of its 3×3 convolutions, each followed by ReLU; the first has strides of 2. */
const WIDTHS = [32, 64, 128, 256, 256];
/** Of the first, the means would say little but how much of each colour there is. */
const FIRST_FEATURE_DEPTH = 1;
const FEATURES = WIDTHS.slice(FIRST_FEATURE_DEPTH).reduce((sum, width) => sum + width, 0);
const BATCH = 16;

/** Parts along each side of an image: an eye or a mouth of a face takes one or a few. */
const PARTS_A_SIDE = 8;
export const PARTS = PARTS_A_SIDE ** 2;
/** Convolutions whose channels are features of parts: deeper ones see more of an image than a part. */
const PART_DEPTH = 2;
/** Of each part. */
export const PART_FEATURES = WIDTHS.slice(0, PART_DEPTH).reduce((sum, width) => sum + width, 0);

/**
 * @param set images of 32×32 pixels or more.
 * @returns 704 features of each: the mean of every channel at four depths.
 */
export function randomFeatures(set: ImageSet): Promise<Features> {
  return featuresOf(set, {
    size: FEATURES,
    depth: WIDTHS.length,
    pool: (maps) => {
      const means = maps.slice(FIRST_FEATURE_DEPTH).map((map) => tf.mean<tf.Tensor2D>(map, [1, 2]));
      return tf.concat2d(means, 1);
    },
  });
}

/**
 * @param set images of 32×32 pixels or more.
 * @returns of each image the 64 parts row by row, of each part 96 features: the mean of every channel in
 * it at the first two depths.
 */
export function partFeatures(set: ImageSet): Promise<Features> {
  return featuresOf(set, {
    size: PARTS * PART_FEATURES,
    depth: PART_DEPTH,
    pool: (maps) => {
      const parts = maps.map((map) => {
        const side = map.shape[1] / PARTS_A_SIDE;
        return tf.avgPool(map, side, side, 'valid');
      });
      return tf.reshape(tf.concat4d(parts, 3), [-1, PARTS * PART_FEATURES]);
    },
  });
}

interface Embedding {
  /** Features of an image. */
  size: number;
  /** Convolutions. */
  depth: number;
  /** Makes of each convolution's channels `[n, side, side, width]` the features `[n, size]`. */
  pool: (maps: readonly tf.Tensor4D[]) => tf.Tensor2D;
}

async function featuresOf(
  { count, imageSize, images }: ImageSet,
  { size: features, depth, pool }: Embedding,
): Promise<Features> {
  const kernels = randomKernels(depth);
  const pixels = imageSize * imageSize * 3;
  const values = new Float32Array(count * features);
  try {
    for (let start = 0; start < count; start += BATCH) {
      const size = Math.min(BATCH, count - start);
      const batch = images.subarray(start * pixels, (start + size) * pixels);
      const embedded = tf.tidy(() => {
        const levels = Float32Array.from(batch, (level) => level / 127.5 - 1);
        const input = tf.tensor4d(levels, [size, imageSize, imageSize, 3]);
        return pool(convolve(input, kernels));
      });
      values.set(await embedded.data<'float32'>(), start * features);
      embedded.dispose();
    }
  } finally {
    tf.dispose(kernels);
  }
  return { count, size: features, values };
}

/** The channels after each convolution. */
function convolve(images: tf.Tensor4D, kernels: readonly tf.Tensor4D[]): tf.Tensor4D[] {
  let current = images;
  return kernels.map((kernel, depth) => {
    const input = depth === 0 ? current : tf.avgPool(current, 2, 2, 'valid');
    current = tf.relu(tf.conv2d(input, kernel, depth === 0 ? 2 : 1, 'same'));
    return current;
  });
}

/**
 * Normal with the deviation of He et al. 2015, √(2 / inputs of a filter), less each filter's mean: what
 * ReLU has left is never negative, so that filters of a mean below 0 would never answer.
 */
function randomKernels(depth: number): tf.Tensor4D[] {
  let channels = 3;
  return WIDTHS.slice(0, depth).map((width, place) => {
    const random = createRandom(`killme/quality/v1/random network/${place}`);
    const inputs = 9 * channels;
    const values = normal(random, inputs * width).map((value) => value * Math.sqrt(2 / inputs));
    for (let filter = 0; filter < width; filter++) {
      let mean = 0;
      for (let i = filter; i < values.length; i += width) mean += values[i]! / inputs;
      for (let i = filter; i < values.length; i += width) values[i]! -= mean;
    }
    const kernel = tf.tensor4d(values, [3, 3, channels, width]);
    channels = width;
    return kernel;
  });
}
