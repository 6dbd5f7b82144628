/**
 * One iteration of training: its inputs, its step, and its losses, which are read an iteration later.
 *
 * @module
 */
import { type Dataset, drawBatch, oneHotLabels } from '@killme/data';
import { createRandom, placeClasses, randomLatents } from '@killme/model';
import { diffAugment, dropoutMask, type Preset } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { type Gan, type StepInputs, trainStep } from '../gan/article-step.ts';
import { updateEma } from '../gan/ema.ts';
import { type LiteStepInputs, type LiteStepLosses, trainLiteStep } from '../gan/lite-step.ts';
import { normal } from '../gan/normal.ts';
import type { IterationLosses } from '../run/metrics.ts';
import type { TrainOptions } from '../run/options.ts';

/** An iteration whose step has been given to the engine. */
export interface LaunchedIteration {
  iteration: number;
  /** What the step took, by name; still on the device. */
  losses: { names: readonly (keyof IterationLosses)[]; values: tf.Tensor1D };
}

/**
 * Samples the batches of an iteration and takes its step. On a GPU this returns before the step is
 * done, so that the host can sample the next one meanwhile.
 */
export function launchIteration({
  gan,
  preset,
  dataset,
  options,
  iteration,
}: {
  gan: Gan;
  preset: Preset;
  dataset: Dataset;
  options: Pick<TrainOptions, 'seed' | 'batch'>;
  iteration: number;
}): LaunchedIteration {
  const inputs = sampleInputs(preset, dataset, options, iteration);
  const { training } = preset;
  const { methods } = training;
  const taken: LiteStepLosses = methods
    ? trainLiteStep(gan, inputs, { methods, adam: training })
    : trainStep(gan, inputs, training);
  if (gan.ema) updateEma(gan.ema, gan.generator, methods?.emaDecay ?? 0);
  const names = Object.keys(taken) as (keyof LiteStepLosses)[];
  const values = tf.stack(Object.values(taken)) as tf.Tensor1D;
  tf.dispose(Object.values(taken));
  tf.dispose([inputs.realImages, inputs.discriminatorLatents, inputs.generatorLatents]);
  inputs.classes?.dispose();
  return { iteration, losses: { names, values } };
}

/** Reads the losses of an iteration in one transfer, which waits for its step; frees them. */
export async function readLosses({
  losses: { names, values },
}: LaunchedIteration): Promise<IterationLosses> {
  const numbers = await values.data<'float32'>();
  values.dispose();
  return Object.fromEntries(names.map((name, i) => [name, numbers[i]]));
}

/** Random numbers are named by seed, purpose and iteration, so a resumed run samples the same. */
function sampleInputs(
  preset: Preset,
  dataset: Dataset,
  { seed, batch }: Pick<TrainOptions, 'seed' | 'batch'>,
  iteration: number,
): StepInputs & LiteStepInputs {
  const { latent, imageSize, training } = preset;
  const half = batch / 2;
  const policy = training.methods?.augment;
  const random = createRandom(`${seed}/real images/${iteration}`);
  const { images, labels } = drawBatch({ dataset, batchSize: half, random });
  const latents = (purpose: string, count: number) => {
    const values = sampleLatents(preset, { seed, iteration, purpose, count });
    // With the classes of the real images, so that a relativistic loss compares images of one class.
    if (latent.classes) placeClasses(values, labels, latent);
    return tf.tensor2d(values, [count, latent.size]);
  };
  return {
    realImages: tf.tensor4d(images, [half, imageSize, imageSize, 3]),
    discriminatorLatents: latents('discriminator latents', half),
    generatorLatents: latents('generator latents', generatorBatch(preset, batch)),
    dropoutMasks: (part, layer, shape, rate) =>
      dropoutMask(shape, rate, `${seed}/dropout/${iteration}/${part}/${layer}`),
    augment: policy?.length
      ? (images, part) => diffAugment(images, `${seed}/augment/${iteration}/${part}`, policy)
      : undefined,
    encoderNoise: (components) =>
      tf.tensor2d(normal(createRandom(`${seed}/encoder noise/${iteration}`), half * components), [
        half,
        components,
      ]),
    classes:
      latent.classes &&
      tf.tensor2d(oneHotLabels({ labels, classes: dataset.classes }), [
        half,
        dataset.classes.length,
      ]),
    signs: (part, shape) =>
      tf.sub(dropoutMask(shape, 0.5, `${seed}/signs/${iteration}/${part}`), 1),
  };
}

/** What an iteration takes beside one of the warm-up, in which D rests (docs/quality.md: "a third of the time"). */
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
