/**
 * DiffAugment (Zhao et al. 2020, arXiv:2006.10738): what D sees, real and fake alike, is changed at
 * random by operations that gradients pass, so a D with few real images cannot learn them by heart.
 * The paper's operations with its ranges; a policy is a list of them, e.g. `translation,cutout`.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { createRandom } from '../latents/random.ts';
import { cutoutMasks, translateImages } from './kernels.ts';

/** Shift of at most this fraction of the side, each way. */
const TRANSLATION = 1 / 8;
/** Side of the square that is cut out, as a fraction of the image's. */
const CUTOUT = 1 / 2;

/** The paper's operations, in the order in which they are done. */
export const AUGMENTATIONS = ['color', 'translation', 'cutout'] as const;

export type Augmentation = (typeof AUGMENTATIONS)[number];

/** The random numbers of {@link diffAugment} for each image. */
export interface AugmentNumbers<Floats, Integers> {
  /** `[n, 3]`: brightness that is added, factors of saturation and contrast. */
  colors: Floats;
  /** `[n, 2]`: pixels down and to the right. */
  shifts: Integers;
  /** `[n, 2]`: top row and left column of the square that is cut out. */
  corners: Integers;
}

/**
 * The numbers on the host.
 * @param key names the random numbers; equal keys give the same.
 * @param shape of the images
 */
export function augmentNumbers(
  key: string,
  [count, height, width]: readonly number[],
): AugmentNumbers<Float32Array, Int32Array> {
  const random = createRandom(key);
  const between = (low: number, high: number) =>
    random.uniform(count!).map((value) => low + ((value + 1) / 2) * (high - low));
  const colors = [between(-0.5, 0.5), between(0, 2), between(0.5, 1.5)];
  const shifts = [height!, width!].map((side) =>
    between(-TRANSLATION * side, TRANSLATION * side).map(Math.round),
  );
  const corners = [height!, width!].map((side) =>
    between(-CUTOUT / 2, 1 - CUTOUT / 2).map((fraction) => Math.round(fraction * side)),
  );
  return {
    colors: sideBySide(colors),
    shifts: new Int32Array(sideBySide(shifts)),
    corners: new Int32Array(sideBySide(corners)),
  };
}

/** Columns to rows. */
function sideBySide(columns: readonly Float32Array[]): Float32Array {
  const width = columns.length;
  return Float32Array.from(
    { length: width * columns[0]!.length },
    (_, i) => columns[i % width]![Math.floor(i / width)]!,
  );
}

/**
 * @param images `[n, height, width, 3]` in [-1, 1]
 * @param random names the random numbers, or is these numbers (see {@link augmentNumbers}); equal ones
 * change images alike.
 * @param policy the operations to do; without one of them the others get the same numbers.
 * @returns the same shape; where a shift or the cutout leaves nothing, 0 (grey).
 */
export function diffAugment(
  images: tf.Tensor4D,
  random: string | AugmentNumbers<tf.Tensor2D, tf.Tensor2D>,
  policy: readonly Augmentation[],
): tf.Tensor4D {
  return tf.tidy(() => {
    const numbers = typeof random === 'string' ? upload(random, images.shape) : random;
    const [, height, width] = images.shape;
    const operations: Record<Augmentation, (x: tf.Tensor4D) => tf.Tensor4D> = {
      color: (x) => changeColors(x, numbers.colors),
      translation: (x) => translateImages(x, numbers.shifts),
      cutout: (x) =>
        tf.mul(x, cutoutMasks(numbers.corners, { height, width, side: CUTOUT * width })),
    };
    return AUGMENTATIONS.filter((name) => policy.includes(name)).reduce(
      (x, name) => operations[name](x),
      images,
    );
  });
}

function upload(key: string, shape: readonly number[]): AugmentNumbers<tf.Tensor2D, tf.Tensor2D> {
  const { colors, shifts, corners } = augmentNumbers(key, shape);
  return {
    colors: tf.tensor2d(colors, [shape[0]!, 3]),
    shifts: tf.tensor2d(shifts, [shape[0]!, 2], 'int32'),
    corners: tf.tensor2d(corners, [shape[0]!, 2], 'int32'),
  };
}

/** @param colors see {@link AugmentNumbers} */
function changeColors(images: tf.Tensor4D, colors: tf.Tensor2D): tf.Tensor4D {
  const [brightness, saturation, contrast] = tf
    .split(colors, 3, 1)
    .map((column) => tf.reshape(column, [-1, 1, 1, 1])) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const brighter = tf.add(images, brightness);
  const grey = tf.mean(brighter, 3, true);
  const saturated = tf.add(tf.mul(tf.sub(brighter, grey), saturation), grey);
  const mean = tf.mean(saturated, [1, 2, 3], true);
  return tf.add(tf.mul(tf.sub(saturated, mean), contrast), mean) as tf.Tensor4D;
}
