/**
 * DiffAugment (Zhao et al. 2020, arXiv:2006.10738): what D sees, real and fake alike, is changed at
 * random by operations that gradients pass, so a D with few real images cannot learn them by heart.
 * The paper's operations with its ranges; a policy is a list of them, e.g. `translation,cutout`.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { createRandom } from '../latents/random.ts';

/** Shift of at most this fraction of the side, each way. */
const TRANSLATION = 1 / 8;
/** Side of the square that is cut out, as a fraction of the image's. */
const CUTOUT = 1 / 2;

/** The paper's operations, in the order in which they are done. */
export const AUGMENTATIONS = ['color', 'translation', 'cutout'] as const;

export type Augmentation = (typeof AUGMENTATIONS)[number];

/**
 * @param images `[n, height, width, 3]` in [-1, 1]
 * @param key names the random numbers; equal keys change images alike.
 * @param policy the operations to do; without one of them the others get the same numbers.
 * @returns the same shape; where a shift or the cutout leaves nothing, 0 (grey).
 */
export function diffAugment(
  images: tf.Tensor4D,
  key: string,
  policy: readonly Augmentation[],
): tf.Tensor4D {
  const [count, height, width] = images.shape;
  const random = createRandom(key);
  const between = (low: number, high: number) =>
    random.uniform(count).map((value) => low + ((value + 1) / 2) * (high - low));
  const factors = {
    brightness: between(-0.5, 0.5),
    saturation: between(0, 2),
    contrast: between(0.5, 1.5),
  };
  const shifts = {
    y: between(-TRANSLATION * height, TRANSLATION * height).map(Math.round),
    x: between(-TRANSLATION * width, TRANSLATION * width).map(Math.round),
  };
  const corners = {
    y: between(-CUTOUT / 2, 1 - CUTOUT / 2).map((fraction) => Math.round(fraction * height)),
    x: between(-CUTOUT / 2, 1 - CUTOUT / 2).map((fraction) => Math.round(fraction * width)),
  };
  const operations: Record<Augmentation, (x: tf.Tensor4D) => tf.Tensor4D> = {
    color: (x) => changeColours(x, factors),
    translation: (x) => translate(x, shifts),
    cutout: (x) =>
      tf.mul(x, tf.tensor4d(cutoutMask(corners, height, width), [count, height, width, 1])),
  };
  return tf.tidy(() =>
    AUGMENTATIONS.filter((name) => policy.includes(name)).reduce(
      (x, name) => operations[name](x),
      images,
    ),
  );
}

function changeColours(
  images: tf.Tensor4D,
  factors: { brightness: Float32Array; saturation: Float32Array; contrast: Float32Array },
): tf.Tensor4D {
  const perImage = (values: Float32Array) => tf.tensor4d(values, [values.length, 1, 1, 1]);
  const brighter = tf.add(images, perImage(factors.brightness));
  const grey = tf.mean(brighter, 3, true);
  const saturated = tf.add(tf.mul(tf.sub(brighter, grey), perImage(factors.saturation)), grey);
  const mean = tf.mean(saturated, [1, 2, 3], true);
  return tf.add(tf.mul(tf.sub(saturated, mean), perImage(factors.contrast)), mean) as tf.Tensor4D;
}

/** Moves each image by whole pixels: down by `y`, to the right by `x`. */
function translate(
  images: tf.Tensor4D,
  { y, x }: { y: Float32Array; x: Float32Array },
): tf.Tensor4D {
  const [count, height, width] = images.shape;
  // tfjs cannot take the gradient of tf.unstack where it gives one tensor.
  const each = count === 1 ? [tf.squeeze(images, [0])] : tf.unstack(images);
  const moved = each.map((image, i) => {
    const [dy, dx] = [y[i]!, x[i]!];
    const kept = tf.slice(
      image,
      [Math.max(0, -dy), Math.max(0, -dx), 0],
      [height - Math.abs(dy), width - Math.abs(dx), -1],
    );
    return tf.pad(kept, [
      [Math.max(0, dy), Math.max(0, -dy)],
      [Math.max(0, dx), Math.max(0, -dx)],
      [0, 0],
    ]);
  });
  return tf.stack(moved) as tf.Tensor4D;
}

/** `[n, height, width]`, 0 in each image's square and 1 elsewhere; squares may stick out. */
function cutoutMask(
  corners: { y: Float32Array; x: Float32Array },
  height: number,
  width: number,
): Float32Array {
  const mask = new Float32Array(corners.y.length * height * width).fill(1);
  corners.y.forEach((top, i) => {
    const left = corners.x[i]!;
    const [from, to] = [Math.max(0, left), Math.min(width, left + CUTOUT * width)];
    for (let row = Math.max(0, top); row < Math.min(height, top + CUTOUT * height); row++) {
      mask.fill(0, (i * height + row) * width + from, (i * height + row) * width + to);
    }
  });
  return mask;
}
