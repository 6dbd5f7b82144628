import { createRandom, type Picture, UserError } from '@killme/model';
import { FEWEST_IMAGES } from './neighbourhoods.ts';

/** Images of one size in memory. A dataset is one. */
export interface ImageSet {
  count: number;
  /** Pixels along each side. */
  imageSize: number;
  /** `[count, imageSize, imageSize, 3]`, RGB, 0 … 255. */
  images: Uint8Array;
}

/** The images at the given places, in the given order. */
export function takeImages(set: ImageSet, places: ArrayLike<number>): ImageSet {
  const { imageSize } = set;
  const length = imageSize * imageSize * 3;
  const images = new Uint8Array(places.length * length);
  for (let i = 0; i < places.length; i++) {
    const from = places[i]! * length;
    images.set(set.images.subarray(from, from + length), i * length);
  }
  return { count: places.length, imageSize, images };
}

/** The image at a place; its numbers are the set's own. */
export function pictureAt({ imageSize, images }: ImageSet, place: number): Picture {
  const length = imageSize * imageSize * 3;
  const data = images.subarray(place * length, (place + 1) * length);
  return { width: imageSize, height: imageSize, channels: 3, data };
}

/** The real images by halves: what is measured against, and what a perfect generator would give. */
export interface RealHalves {
  /** Places in the dataset. */
  reference: Uint32Array;
  heldOut: Uint32Array;
}

/**
 * Splits a dataset by chance into halves; of an odd count, the reference half has one more.
 * @throws UserError when there are too few images to measure with.
 */
export function splitReal(count: number, seed: number): RealHalves {
  if (count < 2 * FEWEST_IMAGES) {
    throw new UserError(
      `there are ${count} real images: each half needs at least ${FEWEST_IMAGES} of them`,
    );
  }
  const order = createRandom(`killme/quality/v1/${seed}/halves`).permutation(count);
  const half = Math.ceil(count / 2);
  return { reference: order.slice(0, half), heldOut: order.slice(half) };
}
