import { Worker } from 'node:worker_threads';
import type { Dataset } from '@killme/data';
import { UserError } from '@killme/model';
import { compareClouds } from './clouds.ts';
import { type Features, standardizer, takeRows } from './features.ts';
import { splitReal } from './image-set.ts';
import { renderSeeds, type TrainedGenerator } from './made-images.ts';
import { compareFeatures } from './measure.ts';
import { nearestTrainingImages } from './nearest.ts';
import { FEWEST_IMAGES } from './neighbourhoods.ts';
import { partsComparer } from './parts.ts';
import type { RunQuality } from './quality-file.ts';
import { partFeatures, randomFeatures } from './random-network.ts';
import { measureEvenness, renderMiddles, walkKinds } from './walks.ts';

/** Enough to see whether it gets better; `npm run metrics` takes more. */
const SAMPLES = 256;
/** Walks whose middles are measured, and of these, walks whose every step is. */
const WALKS = 64;
const EVEN_WALKS = 4;
/** That of `npm run metrics` without `--seed`, so that figures can be compared. */
const SEED = 0;

/** What the thread of {@link watchQualityBeside} answers a generator with. */
export type MeasuredMessage = { scores: RunQuality } | { error: string };

/** Measures a generator while it learns. */
export interface QualityWatch {
  /** Draws nothing from the run's own random streams, so that a resumed run measures the same. */
  measure(generator: Omit<TrainedGenerator, 'description'>): Promise<RunQuality>;
  dispose(): Promise<void>;
}

/** Whether there are enough images to measure against. */
export const canWatchQuality = ({ count }: Pick<Dataset, 'count'>): boolean =>
  count >= 2 * FEWEST_IMAGES;

/**
 * Measures in a thread of its own, on the host's cores, by the wasm engine: with the figures of
 * {@link watchQuality} on that engine. One measurement at a time.
 */
export function watchQualityBeside(dataset: Dataset): QualityWatch {
  const url = new URL('quality-worker.ts', import.meta.url);
  let worker: Worker | undefined;
  return {
    async measure(generator) {
      worker ??= new Worker(url, { workerData: dataset });
      const { promise, resolve, reject } = Promise.withResolvers<RunQuality>();
      const failed = (reason: string) =>
        reject(
          new UserError(`quality could not be measured: ${reason} (--measure-every 0 leaves it)`),
        );
      const onMessage = (message: MeasuredMessage) =>
        'scores' in message ? resolve(message.scores) : failed(message.error);
      const onError = (error: Error) => failed(error.message);
      const onExit = () => failed('its thread ended');
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage(generator);
      try {
        return await promise;
      } finally {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      }
    },
    async dispose() {
      await worker?.terminate();
    },
  };
}

/** Measures on the current engine, of a dataset that {@link canWatchQuality}. */
export function watchQuality(dataset: Dataset): QualityWatch {
  const halves = splitReal(dataset.count, SEED);
  let real: Features | undefined;
  let compareParts: ReturnType<typeof partsComparer> | undefined;
  return {
    dispose: async () => {},
    async measure(generator) {
      real ??= await randomFeatures(dataset);
      compareParts ??= partsComparer(await partFeatures(dataset), halves);
      const images = await renderSeeds(generator, SAMPLES);
      const made = await randomFeatures(images);
      const { model, floor } = compareFeatures(real, made, halves, SEED);
      const standardize = standardizer(takeRows(real, halves.reference));
      const parts = compareParts(await partFeatures(images));
      const clouds = compareClouds(dataset, images, halves);
      // The hardest kind there is: between classes, where there are some.
      const kind = walkKinds(generator.latent).at(-1)!;
      const middles = await randomFeatures(await renderMiddles(generator, kind, WALKS));
      const walks = compareFeatures(real, middles, halves, SEED).model;
      const evenness = await measureEvenness(generator, kind, { count: EVEN_WALKS, standardize });
      return {
        ...model,
        parts: parts.model,
        partsFloor: parts.floor,
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
