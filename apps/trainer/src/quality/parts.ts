/**
 * How far parts of images are from the same parts of real ones.
 *
 * A mouth is a hundredth of an image: where features are means over all of it, it hardly counts. Here
 * each of 8×8 parts has features of its own and is compared by itself, by the sliced Wasserstein distance
 * (Rabin et al. 2011, doi:10.1007/978-3-642-24785-9_37) of its features; what counts are the worst parts.
 *
 * @module
 */
import { mean } from 'simple-statistics';
import { type Features, takeRows } from './features.ts';
import type { RealHalves } from './image-set.ts';
import { partSize, type WithFloor } from './measure.ts';
import { PART_FEATURES, PARTS } from './random-network.ts';
import { gap, unitVectors } from './sliced-wasserstein.ts';

/** An eighth of the parts: those that a face's eyes and mouth take. */
const WORST = PARTS / 8;

/** Directions that features are projected on, the same for all parts. */
const DIRECTIONS = 64;

/**
 * What of the mean variance over all parts is added to that of each: a corner that is white in all real
 * images would else be the worst part of all for one level of grey.
 */
const SHARED_VARIANCE = 0.1;

/** Projections of images, `[part, direction, image]`, sorted along the last. */
type Projections = Float32Array;

/**
 * Compares made images with real ones; what it works out of the real ones it keeps.
 * @param real part features of all real images, in the dataset's order
 * @returns takes part features of made images, of which the first are taken, as many as are held out;
 * gives the mean distance of the worst parts: of the made images, and of those held out.
 */
export function partsComparer(
  real: Features,
  { reference, heldOut }: RealHalves,
): (made: Features) => WithFloor<number> {
  const standardize = partStandardizer(takeRows(real, reference));
  const known = new Map<number, { reference: Projections; floor: number }>();
  const projectFirst = (features: Features, places: ArrayLike<number>) =>
    project(standardize(takeRows(features, places)));
  return (made) => {
    const count = partSize(heldOut.length, made.count);
    let side = known.get(count);
    if (!side) {
      const projected = projectFirst(real, reference.subarray(0, count));
      const others = projectFirst(real, heldOut.subarray(0, count));
      side = { reference: projected, floor: worstDistance(projected, others, count) };
      known.set(count, side);
    }
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    const model = worstDistance(side.reference, projectFirst(made, order), count);
    return { model, floor: side.floor };
  };
}

/**
 * Makes what gives every feature of every part mean 0 over a reference set, and about the same
 * deviation: see {@link SHARED_VARIANCE}.
 */
function partStandardizer(reference: Features): (features: Features) => Features {
  const { count, size, values } = reference;
  const means = new Float64Array(size);
  const variances = new Float64Array(size);
  for (let i = 0; i < values.length; i++) means[i % size]! += values[i]! / count;
  for (let i = 0; i < values.length; i++) {
    variances[i % size]! += (values[i]! - means[i % size]!) ** 2 / count;
  }
  const shared = new Float64Array(PART_FEATURES);
  for (let i = 0; i < size; i++) shared[i % PART_FEATURES]! += variances[i]! / PARTS;
  const scale = variances.map((variance, i) => {
    const whole = variance + SHARED_VARIANCE * shared[i % PART_FEATURES]!;
    return whole > 0 ? 1 / Math.sqrt(whole) : 0;
  });
  return (features) => ({
    ...features,
    values: features.values.map((value, i) => (value - means[i % size]!) * scale[i % size]!),
  });
}

/** Projects each part of each image on random directions, and sorts the images along each. */
function project({ count, size, values }: Features): Projections {
  const directions = unitVectors('killme/quality/v1/parts/directions', {
    count: DIRECTIONS,
    size: PART_FEATURES,
  });
  const projections = new Float32Array(PARTS * DIRECTIONS * count);
  for (let part = 0; part < PARTS; part++) {
    for (let d = 0; d < DIRECTIONS; d++) {
      const start = (part * DIRECTIONS + d) * count;
      for (let image = 0; image < count; image++) {
        const from = image * size + part * PART_FEATURES;
        let sum = 0;
        for (let f = 0; f < PART_FEATURES; f++) {
          sum += values[from + f]! * directions[d * PART_FEATURES + f]!;
        }
        projections[start + image] = sum;
      }
      projections.subarray(start, start + count).sort();
    }
  }
  return projections;
}

/** The mean, over the worst parts, of the distance between two sets of `count` images. */
function worstDistance(a: Projections, b: Projections, count: number): number {
  const length = DIRECTIONS * count;
  const distances = Float64Array.from({ length: PARTS }, (_, part) => {
    let sum = 0;
    for (let d = 0; d < DIRECTIONS; d++) {
      const start = part * length + d * count;
      sum += gap(a.subarray(start, start + count), b.subarray(start, start + count));
    }
    return sum / length;
  });
  return mean([...distances.sort().subarray(-WORST)]);
}
