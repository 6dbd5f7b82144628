/**
 * One iteration of training: its inputs, its step, and its losses, which are read an iteration later.
 *
 * @module
 */
import type { Dataset } from '@killme/data';
import { type Methods, type Preset, warmUpOf } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { createReplay, type Step } from '../engines/replay.ts';
import { type ArticleStepInputs, type StepLosses, trainArticleStep } from '../gan/article-step.ts';
import { updateEma } from '../gan/ema.ts';
import type { Gan } from '../gan/gan.ts';
import { keepStepCounts, networksOf, stateSlots } from '../gan/gan-state.ts';
import { liteStepKind, trainLiteStep } from '../gan/lite-step.ts';
import type { LiteStepInputs, LiteStepLosses } from '../gan/lite-step-inputs.ts';
import type { AdamOptions } from '../gan/network-state.ts';
import type { IterationLosses } from '../run/metrics.ts';
import type { TrainOptions } from '../run/options.ts';
import { createSampler, type Place, type Sampler } from './sampler.ts';

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
  readonly lag: number;
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
  const training = preset.training;
  const sampler = createSampler(preset, dataset, at);
  const replay = createReplay({ record, ...(log && { log }) });
  const step: Step = {
    state: [...stateSlots(gan), ...sampler.slots],
    keepCounts: () => keepStepCounts(networksOf(gan)),
    run() {
      const losses: LiteStepLosses =
        training.step === 'article'
          ? articleStep(gan, training, sampler)
          : liteStep(gan, training, sampler);
      if (gan.ema) updateEma(gan.ema, gan.generator, training.methods?.emaDecay ?? 0);
      const values = tf.stack(Object.values(losses)) as tf.Tensor1D;
      tf.dispose(Object.values(losses));
      return { names: Object.keys(losses), values };
    },
  };
  return {
    get lag() {
      return replay.lag;
    },
    launch(iteration) {
      at.iteration = iteration;
      const kind = training.step === 'article' ? 'article' : liteStepKind(gan, training.methods);
      const { names, read } = replay.take(kind, step);
      return {
        iteration,
        async readLosses() {
          const numbers = await read();
          return Object.fromEntries(names.map((name, i) => [name, numbers[i]]));
        },
      };
    },
    dispose() {
      replay.dispose();
      sampler.dispose();
    },
  };
}

function articleStep(gan: Gan, adam: AdamOptions, sampler: Sampler): StepLosses {
  const batch = sampler.batch();
  const inputs: ArticleStepInputs = {
    ...batch,
    dropoutMasks: (part, layer, shape, rate) =>
      sampler.dropoutMask({ purpose: 'dropout', part: `${part}/${layer}` }, shape, rate),
  };
  const losses = trainArticleStep(gan, inputs, adam);
  tf.dispose(batch);
  return losses;
}

function liteStep(
  gan: Gan,
  training: AdamOptions & { methods: Methods },
  sampler: Sampler,
): LiteStepLosses {
  const { methods } = training;
  const batch = sampler.batch();
  const inputs: LiteStepInputs = {
    ...batch,
    classes: sampler.classes(),
    augment: methods.augment.length
      ? (images, part) => sampler.augment(images, part, methods.augment)
      : undefined,
    encoderNoise: sampler.encoderNoise,
    // A dropout mask of rate 0.5 is 0 or 2.
    signs: (part, shape) => tf.sub(sampler.dropoutMask({ purpose: 'signs', part }, shape, 0.5), 1),
  };
  const losses = trainLiteStep(gan, inputs, { methods, adam: training });
  tf.dispose(batch);
  inputs.classes?.dispose();
  return losses;
}

/** Work of an iteration with D, in iterations of the warm-up, in which D rests. */
const WORK_WITH_D = 3;

/** The work of a run's iterations before `iteration`; that of one in the warm-up is 1. */
export function workDone(iteration: number, preset: Pick<Preset, 'encoder' | 'training'>): number {
  const warmUp = Math.min(iteration, warmUpOf(preset));
  return warmUp + WORK_WITH_D * (iteration - warmUp);
}
