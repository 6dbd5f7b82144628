import type { Dataset } from '@killme/data';
import { compareClouds } from './clouds.ts';
import { type Features, standardizer, takeRows } from './features.ts';
import { splitReal } from './image-set.ts';
import { renderSeeds, type TrainedGenerator } from './made-images.ts';
import { compareFeatures } from './measure.ts';
import { nearestTrainingImages } from './nearest.ts';
import { FEWEST_IMAGES } from './neighbourhoods.ts';
import type { RunQuality } from './quality-file.ts';
import { randomFeatures } from './random-network.ts';
import { measureEvenness, renderMiddles, walkKinds } from './walks.ts';

/** Enough to see whether it gets better; `npm run metrics` takes more. */
const SAMPLES = 256;
/** Walks whose middles are measured, and of these, walks whose every step is. */
const WALKS = 64;
const EVEN_WALKS = 4;
/** That of `npm run metrics` without `--seed`, so that figures can be compared. */
const SEED = 0;

/** Measures a generator while it learns. */
export interface QualityWatch {
  /** Draws nothing from the run's own random streams, so that a resumed run measures the same. */
  measure(generator: Omit<TrainedGenerator, 'description'>): Promise<RunQuality>;
}

/** @returns undefined when there are too few images to measure against. */
export function watchQuality(dataset: Dataset): QualityWatch | undefined {
  if (dataset.count < 2 * FEWEST_IMAGES) return undefined;
  const halves = splitReal(dataset.count, SEED);
  let real: Features | undefined;
  return {
    async measure(generator) {
      real ??= await randomFeatures(dataset);
      const images = await renderSeeds(generator, SAMPLES);
      const made = await randomFeatures(images);
      const { model, floor } = compareFeatures(real, made, halves, SEED);
      const standardize = standardizer(takeRows(real, halves.reference));
      const clouds = compareClouds(dataset, images, halves);
      // The hardest kind there is: between classes, where there are some.
      const kind = walkKinds(generator.latent).at(-1)!;
      const middles = await randomFeatures(await renderMiddles(generator, kind, WALKS));
      const walks = compareFeatures(real, middles, halves, SEED).model;
      const evenness = await measureEvenness(generator, kind, { count: EVEN_WALKS, standardize });
      return {
        ...model,
        clouds: clouds?.model,
        cloudsFloor: clouds?.floor,
        walkPrecision: walks.precision,
        walkCoverage: walks.coverage,
        walkPathLength: evenness.pathLength,
        walkLargestStep: evenness.largestStep,
        kernelDistance: model.kernelDistance.mean,
        nearestRatio: nearestTrainingImages(standardize(real), standardize(made)).ratio,
        kernelDistanceFloor: floor.kernelDistance.mean,
        precisionFloor: floor.precision,
        recallFloor: floor.recall,
        densityFloor: floor.density,
        coverageFloor: floor.coverage,
      };
    },
  };
}
