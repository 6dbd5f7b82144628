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

/**
 * @param set images of 32×32 pixels or more.
 * @returns 704 features of each: the mean of every channel at four depths.
 */
export async function randomFeatures(set: ImageSet): Promise<Features> {
  const kernels = randomKernels();
  const { count, imageSize, images } = set;
  const pixels = imageSize * imageSize * 3;
  const values = new Float32Array(count * FEATURES);
  try {
    for (let start = 0; start < count; start += BATCH) {
      const size = Math.min(BATCH, count - start);
      const batch = images.subarray(start * pixels, (start + size) * pixels);
      const features = tf.tidy(() =>
        embed(
          tf.tensor4d(
            Float32Array.from(batch, (level) => level / 127.5 - 1),
            [size, imageSize, imageSize, 3],
          ),
          kernels,
        ),
      );
      values.set(await features.data<'float32'>(), start * FEATURES);
      features.dispose();
    }
  } finally {
    tf.dispose(kernels);
  }
  return { count, size: FEATURES, values };
}

function embed(images: tf.Tensor4D, kernels: readonly tf.Tensor4D[]): tf.Tensor2D {
  const features: tf.Tensor2D[] = [];
  let current = images;
  kernels.forEach((kernel, depth) => {
    const input = depth === 0 ? current : tf.avgPool(current, 2, 2, 'valid');
    current = tf.relu(tf.conv2d(input, kernel, depth === 0 ? 2 : 1, 'same'));
    if (depth >= FIRST_FEATURE_DEPTH) features.push(tf.mean(current, [1, 2]));
  });
  return tf.concat(features, 1);
}

/**
 * Normal with the deviation of He et al. 2015, √(2 / inputs of a filter), less each filter's mean: what
 * ReLU has left is never negative, so that filters of a mean below 0 would never answer.
 */
function randomKernels(): tf.Tensor4D[] {
  let channels = 3;
  return WIDTHS.map((width, depth) => {
    const random = createRandom(`killme/quality/v1/random network/${depth}`);
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
