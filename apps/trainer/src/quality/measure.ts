/**
 * All figures of a set of made images against real ones.
 *
 * @module
 */
import { createRandom, UserError } from '@killme/model';
import { mean } from 'simple-statistics';
import { type Features, rows, standardizer, takeRows } from './features.ts';
import { type ImageSet, type RealHalves, takeImages } from './image-set.ts';
import { type KernelDistance, kernelDistance } from './kernel-distance.ts';
import { FEWEST_IMAGES, type Neighbourhoods, neighbourhoods } from './neighbourhoods.ts';
import { type BandDistance, slicedWasserstein } from './sliced-wasserstein.ts';

/** Of two sets by their features. */
export interface FeatureScores extends Neighbourhoods {
  kernelDistance: KernelDistance;
}

/** A figure of the model, and the same of real images that were held out. */
export interface WithFloor<T> {
  model: T;
  floor: T;
}

/**
 * Compares by features. Model and floor are measured with equally many images: of the made ones, the
 * mean is taken over as many disjoint parts as there are.
 *
 * @param real of all real images, in the dataset's order.
 * @param made of all made images.
 */
export function compareFeatures(
  real: Features,
  made: Features,
  { reference, heldOut }: RealHalves,
  seed: number,
): WithFloor<FeatureScores> {
  const standardize = standardizer(takeRows(real, reference));
  const referenceRows = standardize(takeRows(real, reference));
  const part = partSize(heldOut.length, made.count);
  const floorRows = standardize(takeRows(real, heldOut.subarray(0, part)));
  const parts = Array.from({ length: Math.floor(made.count / part) }, (_, i) =>
    standardize(rows(made, i * part, part)),
  );
  const subset = Math.ceil(part / 2);
  const scores = (set: Features): FeatureScores => ({
    ...neighbourhoods(referenceRows, set),
    kernelDistance: kernelDistance(referenceRows, set, {
      subset,
      key: `killme/quality/v1/${seed}/subsets`,
    }),
  });
  return { model: meanScores(parts.map(scores)), floor: scores(floorRows) };
}

function meanScores(all: readonly FeatureScores[]): FeatureScores {
  const meanOf = (pick: (scores: FeatureScores) => number) => mean(all.map(pick));
  return {
    precision: meanOf((s) => s.precision),
    recall: meanOf((s) => s.recall),
    density: meanOf((s) => s.density),
    coverage: meanOf((s) => s.coverage),
    kernelDistance: {
      mean: meanOf((s) => s.kernelDistance.mean),
      deviation: meanOf((s) => s.kernelDistance.deviation),
    },
  };
}

/**
 * Compares by patches: the first of the made images, as many as are held out.
 * @param floors those that are known, by how many images were compared; a new one is added.
 */
export async function comparePatches(
  real: ImageSet,
  made: ImageSet,
  { reference, heldOut }: RealHalves,
  seed: number,
  floors = new Map<number, BandDistance[]>(),
): Promise<WithFloor<BandDistance[]>> {
  const part = partSize(heldOut.length, made.count);
  const order = Uint32Array.from({ length: part }, (_, i) => i);
  const known = floors.get(part);
  const [model, measured] = await slicedWasserstein(
    takeImages(real, reference.subarray(0, part)),
    [takeImages(made, order), ...(known ? [] : [takeImages(real, heldOut.subarray(0, part))])],
    seed,
  );
  const floor = known ?? measured!;
  floors.set(part, floor);
  return { model: model!, floor };
}

/**
 * How many images are compared at once.
 * @throws UserError when there are too few made images to measure.
 */
export function partSize(heldOut: number, made: number): number {
  if (made >= FEWEST_IMAGES) return Math.min(heldOut, made);
  throw new UserError(`there are ${made} made images: at least ${FEWEST_IMAGES} are needed`);
}

/** Made images in random order: a folder sorted by name may have one kind of image first. */
export function shuffleImages(set: ImageSet, seed: number): ImageSet {
  return takeImages(set, createRandom(`killme/quality/v1/${seed}/made`).permutation(set.count));
}
