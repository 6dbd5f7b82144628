import type { Dataset } from '@killme/data';
import { type Features, standardizer, takeRows } from './features.ts';
import { splitReal } from './image-set.ts';
import { renderSeeds, type TrainedGenerator } from './made-images.ts';
import { compareFeatures } from './measure.ts';
import { nearestTrainingImages } from './nearest.ts';
import { FEWEST_IMAGES } from './neighbourhoods.ts';
import type { RunQuality } from './quality-file.ts';
import { randomFeatures } from './random-network.ts';

/** Enough to see whether it gets better; `npm run metrics` takes more. */
const SAMPLES = 256;
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
      const made = await randomFeatures(await renderSeeds(generator, SAMPLES));
      const { model, floor } = compareFeatures(real, made, halves, SEED);
      const standardize = standardizer(takeRows(real, halves.reference));
      return {
        ...model,
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
