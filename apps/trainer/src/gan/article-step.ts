/**
 * The article's training step: D on real images, D on fake ones, then G through the frozen D.
 *
 * Real and fake are never one batch: batch normalization would normalize them together. In the G
 * step D normalizes with the statistics of its batch but keeps its moving ones, as the Keras of the
 * article did with `discriminator.trainable = False` (TensorFlow 2 changed that to inference mode).
 *
 * @module
 */
import {
  applyNetwork,
  applyToLogits,
  type BatchStatistics,
  binaryAccuracy,
  binaryCrossEntropy,
  type Mode,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { Gan } from './gan.ts';
import {
  type AdamOptions,
  applyAdam,
  disposeStatistics,
  type NetworkState,
  trainableTensors,
  updateMovingStatistics,
} from './network-state.ts';

/** Which of the three parts of a step is running; each has its own dropout masks. */
export type SubStep = 'real' | 'fake' | 'generator';

/** A dropout mask for one layer of one part: 0 or 1 / (1 − rate), of the given shape. */
export type DropoutMasks = (
  part: SubStep,
  layer: string,
  shape: readonly number[],
  rate: number,
) => tf.Tensor;

/** The images and random numbers of a step. */
export interface ArticleStepInputs {
  /** Half a batch, `[batch / 2, height, width, 3]` in [-1, 1]. */
  realImages: tf.Tensor4D;
  /** Half a batch, `[batch / 2, latent]`. */
  discriminatorLatents: tf.Tensor2D;
  /** A whole batch, `[batch, latent]`. */
  generatorLatents: tf.Tensor2D;
  dropoutMasks: DropoutMasks;
}

interface SubStepOptions {
  dropoutMasks: DropoutMasks;
  adam: AdamOptions;
}

/** Scalars still on the device; reading one waits for the step. The caller disposes of them. */
export interface StepLosses {
  realLoss: tf.Scalar;
  fakeLoss: tf.Scalar;
  realAccuracy: tf.Scalar;
  fakeAccuracy: tf.Scalar;
  generatorLoss: tf.Scalar;
}

/** One iteration of the article's `train`. The caller disposes of the inputs. */
export function trainArticleStep(
  gan: Gan,
  inputs: ArticleStepInputs,
  adam: AdamOptions,
): StepLosses {
  const { realImages, discriminatorLatents, generatorLatents, dropoutMasks } = inputs;
  const fakeImages = generateImages(gan.generator, discriminatorLatents);
  const options = { dropoutMasks, adam };
  const real = trainDiscriminator(gan.discriminator, realImages, 'real', options);
  const fake = trainDiscriminator(gan.discriminator, fakeImages, 'fake', options);
  fakeImages.dispose();
  const generatorLoss = trainGenerator(gan, generatorLatents, options);
  return {
    realLoss: real.loss,
    fakeLoss: fake.loss,
    realAccuracy: real.accuracy,
    fakeAccuracy: fake.accuracy,
    generatorLoss,
  };
}

/** The article's `generator.predict`: moving statistics, no gradient. `[n, height, width, 3]`. */
export function generateImages(generator: NetworkState, latents: tf.Tensor2D): tf.Tensor4D {
  return tf.tidy(() => {
    const mode: Mode = { training: false };
    return applyNetwork(generator.network, generator.weights, latents, mode) as tf.Tensor4D;
  });
}

/** The article's `discriminator.train_on_batch(images, label)`. */
export function trainDiscriminator(
  discriminator: NetworkState,
  images: tf.Tensor4D,
  part: 'real' | 'fake',
  { dropoutMasks, adam }: SubStepOptions,
): { loss: tf.Scalar; accuracy: tf.Scalar } {
  const { network, weights } = discriminator;
  const label = part === 'real' ? 1 : 0;
  const statistics: BatchStatistics = new Map();
  const mode = trainingMode(part, dropoutMasks, statistics);
  let accuracy: tf.Scalar | undefined;
  const { value: loss, grads } = tf.valueAndGrads(() => {
    const logits = applyToLogits(network, weights, images, mode);
    accuracy = tf.keep(binaryAccuracy(logits, label));
    return binaryCrossEntropy(logits, label);
  })(trainableTensors(discriminator));
  applyAdam(discriminator, grads, adam);
  updateMovingStatistics(discriminator, statistics);
  return { loss: loss as tf.Scalar, accuracy: accuracy! };
}

/**
 * The article's `combined.train_on_batch(latents, ones)`: G moves so that D takes its images for
 * real; D does not move at all.
 */
export function trainGenerator(
  { generator, discriminator }: Gan,
  latents: tf.Tensor2D,
  { dropoutMasks, adam }: SubStepOptions,
): tf.Scalar {
  const generatorStatistics: BatchStatistics = new Map();
  const discriminatorStatistics: BatchStatistics = new Map();
  const generatorMode = trainingMode('generator', dropoutMasks, generatorStatistics);
  const discriminatorMode = trainingMode('generator', dropoutMasks, discriminatorStatistics);
  const { value: loss, grads } = tf.valueAndGrads(() => {
    const images = applyNetwork(generator.network, generator.weights, latents, generatorMode);
    const logits = applyToLogits(
      discriminator.network,
      discriminator.weights,
      images,
      discriminatorMode,
    );
    return binaryCrossEntropy(logits, 1);
  })(trainableTensors(generator));
  applyAdam(generator, grads, adam);
  updateMovingStatistics(generator, generatorStatistics);
  disposeStatistics(discriminatorStatistics);
  return loss as tf.Scalar;
}

function trainingMode(part: SubStep, masks: DropoutMasks, statistics: BatchStatistics): Mode {
  return {
    training: true,
    dropoutMask: (layer, shape, rate) => masks(part, layer, shape, rate),
    statistics,
  };
}
