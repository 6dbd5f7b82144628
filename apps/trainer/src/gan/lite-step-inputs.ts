/**
 * What the lite step (lite-step.ts) works on, and what it gives.
 *
 * @module
 */
import type { Methods, Mode } from '@killme/model/training';
import type * as tf from '@tensorflow/tfjs-core';
import type { StepLosses, SubStep } from './article-step.ts';

/** What the step takes of a run's methods. */
export type LiteStepMethods = Pick<
  Methods,
  'loss' | 'gradientPenalty' | 'reconstructionWeight' | 'warmUp'
> &
  Partial<Pick<Methods, 'updateClipping'>>;

/** Augments what D sees, image by image; gradients pass through it. */
export type Augment = (images: tf.Tensor4D, part: SubStep) => tf.Tensor4D;

/** The images and random numbers of a step; half is half the batch. */
export interface LiteStepInputs {
  /** `[half, height, width, 3]` in [-1, 1]. */
  realImages: tf.Tensor4D;
  /** `[half, classes]`, one-hot classes of the real images; absent where D has a single logit. */
  classes?: tf.Tensor2D | undefined;
  /** `[half, latent]` each, with the classes of the real images. */
  discriminatorLatents: tf.Tensor2D;
  generatorLatents: tf.Tensor2D;
  augment?: Augment | undefined;
  /** Standard normal, `[half, components]`; to sample the posterior of the encoder. */
  encoderNoise: (components: number) => tf.Tensor2D;
  /** −1 or 1 at random, of the given shape; for the gradient penalty. */
  signs: (part: 'real' | 'fake', shape: readonly number[]) => tf.Tensor;
}

/** The losses of a step: in the warm-up only the reconstruction loss; without an encoder all but it. */
export type LiteStepLosses = Partial<StepLosses> & {
  /** `reconstructionLossOf` the real images and their reconstructions. */
  reconstructionLoss?: tf.Scalar;
};

/** How all networks of the step are run; none of them has dropout. */
export const TRAINING = {
  training: true,
  dropoutMask: (layer: string): tf.Tensor => {
    throw new Error(`${layer} is dropout: the lite step has no masks`);
  },
} satisfies Mode;
