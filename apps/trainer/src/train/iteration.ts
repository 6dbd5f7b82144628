/**
 * One iteration of training: its inputs, its step, and its losses, which are read an iteration later.
 *
 * @module
 */
import { type Batch, type Dataset, drawBatch, oneHotLabels } from '@killme/data';
import { createRandom, placeClasses, randomLatents } from '@killme/model';
import {
  augmentNumbers,
  diffAugment,
  dropoutMask,
  maskKey,
  type Preset,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { feed } from '../engines/feed.ts';
import { createReplay, type Step } from '../engines/replay.ts';
import { type Gan, type StepInputs, trainStep } from '../gan/article-step.ts';
import { updateEma } from '../gan/ema.ts';
import { keepStepCounts, stateSlots } from '../gan/gan-state.ts';
import {
  type LiteStepInputs,
  type LiteStepLosses,
  liteStepKind,
  trainLiteStep,
} from '../gan/lite-step.ts';
import { normal } from '../gan/normal.ts';
import type { IterationLosses } from '../run/metrics.ts';
import type { TrainOptions } from '../run/options.ts';

/** An iteration whose step has been given to the engine. */
export interface LaunchedIteration {
  iteration: number;
  /** Waits for the step; its losses are still on the device. */
  readLosses(): Promise<IterationLosses>;
}

/** The iterations of a run. */
export interface Iterations {
  /**
   * Samples the batches of an iteration and takes its step. On a GPU this returns before the step is
   * done, so that the host can sample the next one meanwhile.
   */
  launch(iteration: number): LaunchedIteration;
  /** Iterations to launch before the losses of the first are read, so that no step waits for them. */
  lag: number;
  dispose(): void;
}

/**
 * @param options.replay whether an engine that can record steps replays them; without it, it does.
 * @param log gets a line for each kind of step that the engine records.
 */
export function createIterations({
  gan,
  preset,
  dataset,
  options: { seed, batch, replay: record = true },
  log,
}: {
  gan: Gan;
  preset: Preset;
  dataset: Dataset;
  options: Pick<TrainOptions, 'seed' | 'batch'> & { replay?: boolean };
  log?: (line: string) => void;
}): Iterations {
  const at: Place = { seed, batch, iteration: 0 };
  const batches = batchReader(dataset, at);
  const { training } = preset;
  const { methods } = training;
  const replay = createReplay({ record, ...(log && { log }) });
  const step: Step = {
    state: stateSlots(gan),
    keepCounts: () => keepStepCounts(gan),
    run() {
      const inputs = sampleInputs(preset, dataset, batches, at);
      const taken: LiteStepLosses = methods
        ? trainLiteStep(gan, inputs, { methods, adam: training })
        : trainStep(gan, inputs, training);
      if (gan.ema) updateEma(gan.ema, gan.generator, methods?.emaDecay ?? 0);
      const values = tf.stack(Object.values(taken)) as tf.Tensor1D;
      tf.dispose(Object.values(taken));
      tf.dispose([inputs.realImages, inputs.discriminatorLatents, inputs.generatorLatents]);
      inputs.classes?.dispose();
      return { names: Object.keys(taken), values };
    },
  };
  return {
    lag: replay.lag,
    launch(iteration) {
      at.iteration = iteration;
      const kind = methods ? liteStepKind(gan, methods) : preset.name;
      const { names, read } = replay.take(kind, step);
      return {
        iteration,
        async readLosses() {
          const numbers = await read();
          return Object.fromEntries(names.map((name, i) => [name, numbers[i]]));
        },
      };
    },
    dispose: () => replay.dispose(),
  };
}

/** Which iteration it is that random numbers are sampled for. */
interface Place {
  seed: number;
  batch: number;
  iteration: number;
}

/** The real images of the current iteration and their labels, read once. */
function batchReader(dataset: Dataset, at: Place): () => Batch {
  let read: { iteration: number; batch: Batch } | undefined;
  return () => {
    const { seed, batch: size, iteration } = at;
    if (read?.iteration !== iteration) {
      const random = createRandom(`${seed}/real images/${iteration}`);
      read = { iteration, batch: drawBatch({ dataset, batchSize: size / 2, random }) };
    }
    return read.batch;
  };
}

/**
 * The inputs of a step, each a feed: when a recording of the step is replayed it is sampled again, for
 * the iteration of that time. Random numbers are named by seed, purpose and iteration, so a resumed run
 * samples the same.
 */
function sampleInputs(
  preset: Preset,
  { classes }: Dataset,
  readBatch: () => Batch,
  at: Place,
): StepInputs & LiteStepInputs {
  const { latent, imageSize, training } = preset;
  const half = at.batch / 2;
  const policy = training.methods?.augment;
  const nameOf = (purpose: string, part: string) => `${at.seed}/${purpose}/${at.iteration}/${part}`;
  const mask = (name: () => string, shape: readonly number[], rate: number) =>
    tf.tidy(() => dropoutMask(shape, rate, feed([4], () => maskKey(name())) as tf.Tensor1D));
  const latents = (purpose: string, count: number) =>
    feed([count, latent.size], () => {
      const values = sampleLatents(preset, { ...at, purpose, count });
      // With the classes of the real images, so that a relativistic loss compares images of one class.
      if (latent.classes) placeClasses(values, readBatch().labels, latent);
      return values;
    }) as tf.Tensor2D;
  return {
    realImages: feed([half, imageSize, imageSize, 3], () => readBatch().images) as tf.Tensor4D,
    discriminatorLatents: latents('discriminator latents', half),
    generatorLatents: latents('generator latents', generatorBatch(preset, at.batch)),
    dropoutMasks: (part, layer, shape, rate) =>
      mask(() => nameOf('dropout', `${part}/${layer}`), shape, rate),
    augment: policy?.length
      ? (images, part) =>
          tf.tidy(() => {
            const numbers = feedAugment(() => nameOf('augment', part), images.shape);
            return diffAugment(images, numbers, policy);
          })
      : undefined,
    encoderNoise: (components) =>
      feed([half, components], () =>
        normal(createRandom(`${at.seed}/encoder noise/${at.iteration}`), half * components),
      ) as tf.Tensor2D,
    classes: latent.classes && feedClasses(readBatch, half, classes),
    signs: (part, shape) =>
      tf.sub(
        mask(() => nameOf('signs', part), shape, 0.5),
        1,
      ),
  };
}

function feedClasses(readBatch: () => Batch, half: number, classes: Dataset['classes']) {
  const values = () => oneHotLabels({ labels: readBatch().labels, classes });
  return feed([half, classes.length], values) as tf.Tensor2D;
}

function feedAugment(name: () => string, shape: readonly number[]) {
  const count = shape[0]!;
  let numbers: ReturnType<typeof augmentNumbers>;
  const colors = feed([count, 3], () => {
    numbers = augmentNumbers(name(), shape);
    return numbers.colors;
  }) as tf.Tensor2D;
  const shifts = feed([count, 2], () => numbers.shifts) as tf.Tensor2D;
  return { colors, shifts, corners: feed([count, 2], () => numbers.corners) as tf.Tensor2D };
}

/** What an iteration takes beside one of the warm-up, in which D rests (docs/methods.md: "a third of the time"). */
const WORK_WITH_D = 3;

/** The work of a run's iterations before `iteration`; that of one in the warm-up is 1. */
export function workDone(
  iteration: number,
  { encoder, training: { methods } }: Pick<Preset, 'encoder' | 'training'>,
): number {
  const warmUp = encoder && methods ? Math.min(iteration, methods.warmUp) : 0;
  return warmUp + WORK_WITH_D * (iteration - warmUp);
}

/** Images that G learns from in a step: the article's step takes a whole batch, the lite step half of one. */
export function generatorBatch({ training }: Preset, batch: number): number {
  return training.methods ? batch / 2 : batch;
}

interface LatentSampling {
  seed: number;
  iteration: number;
  purpose: string;
  count: number;
}

/** Latents one after the other, `[count × latent size]`. */
export function sampleLatents({ latent }: Preset, sampling: LatentSampling): Float32Array {
  const { seed, iteration, purpose, count } = sampling;
  return randomLatents(createRandom(`${seed}/${purpose}/${iteration}`), count, latent);
}
