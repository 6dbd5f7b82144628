/**
 * D's part of the lite step (lite-step.ts): one Adam step on real and fake images, with a gradient penalty.
 *
 * @module
 */
import {
  ADVERSARIAL_LOSSES,
  type AdversarialLoss,
  applyNetwork,
  applyToLogits,
  discriminatorLoss,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { StepLosses } from './article-step.ts';
import type { Gan } from './gan.ts';
import { type LiteStepInputs, type LiteStepMethods, TRAINING } from './lite-step-inputs.ts';
import {
  type AdamOptions,
  applyAdam,
  type NetworkState,
  trainableTensors,
} from './network-state.ts';

/**
 * D steps from one with a penalty to the next; each then counts as many times (Karras et al. 2020,
 * arXiv:1912.04958, "lazy regularization").
 */
const PENALTY_EVERY = 4;

/** Size of the finite difference of the gradient penalty, in units of [-1, 1]. */
const PENALTY_DISTANCE = 0.05;

/** Whether D's next step has the gradient penalty. */
export const isPenalized = (
  { steps }: NetworkState,
  { gradientPenalty: weight }: Pick<LiteStepMethods, 'gradientPenalty'>,
): boolean => weight > 0 && steps % PENALTY_EVERY === 0;

/** One Adam step of D on as many real as fake images. */
export function stepLiteDiscriminator(
  { generator, discriminator }: Gan,
  { realImages, discriminatorLatents, classes, augment, signs }: LiteStepInputs,
  { methods, adam }: { methods: LiteStepMethods; adam: AdamOptions },
): Omit<StepLosses, 'generatorLoss'> {
  const fakeImages = tf.tidy(() =>
    applyNetwork(generator.network, generator.weights, discriminatorLatents, TRAINING),
  ) as tf.Tensor4D;
  const judge = (images: tf.Tensor) => logitsOf(discriminator, images, classes);
  const loss = ADVERSARIAL_LOSSES[methods.loss];
  const penalized = isPenalized(discriminator, methods);
  const judgeHalf = (part: 'real' | 'fake', images: tf.Tensor4D) => {
    const seen = augment ? augment(images, part) : images;
    const logits = judge(seen);
    if (!penalized) return { logits, penalty: tf.scalar(0) };
    const options = { images: seen, logits, signs: signs(part, seen.shape) };
    return { logits, penalty: gradientPenalty(judge, options) };
  };
  let logits: HalvesLogits | undefined;
  const { value, grads } = tf.valueAndGrads(() => {
    const real = judgeHalf('real', realImages);
    const fake = judgeHalf('fake', fakeImages);
    logits = { real: tf.keep(tf.clone(real.logits)), fake: tf.keep(tf.clone(fake.logits)) };
    const penalties = tf.add(real.penalty, fake.penalty);
    return tf.add(
      discriminatorLoss(loss, real.logits, fake.logits),
      tf.mul(penalties, (PENALTY_EVERY * methods.gradientPenalty) / 2),
    ) as tf.Scalar;
  })(trainableTensors(discriminator));
  applyAdam(discriminator, grads, adam);
  value.dispose();
  fakeImages.dispose();
  const losses = lossesOfHalves(loss, logits!);
  tf.dispose([logits!.real, logits!.fake]);
  return losses;
}

/** D's logits of real and of fake images, `[half, 1]` each. */
interface HalvesLogits {
  real: tf.Tensor;
  fake: tf.Tensor;
}

/**
 * D's logits `[n, 1]`: of a class-conditional D that of each image's class.
 * @param images `[n, height, width, 3]` in [-1, 1]
 * @param classes one-hot, `[n, classes]`
 */
export function logitsOf(
  { network, weights }: NetworkState,
  images: tf.Tensor,
  classes: tf.Tensor2D | undefined,
): tf.Tensor {
  const logits = applyToLogits(network, weights, images, TRAINING);
  return classes ? tf.sum(tf.mul(logits, classes), 1, true) : logits;
}

/** D's loss on each half, and the fraction of images on the right side of the other half's mean logit. */
function lossesOfHalves(
  loss: AdversarialLoss,
  { real, fake }: HalvesLogits,
): Omit<StepLosses, 'generatorLoss'> {
  return tf.tidy(() => {
    const fraction = (right: tf.Tensor) => tf.mean(tf.cast(right, 'float32')) as tf.Scalar;
    return {
      realLoss: loss.real(real, fake),
      fakeLoss: loss.fake(real, fake),
      realAccuracy: fraction(tf.greater(real, tf.mean(fake))),
      fakeAccuracy: fraction(tf.less(fake, tf.mean(real))),
    };
  });
}

/**
 * The mean square of D's gradient by its image, by finite differences: with signs s at random,
 * (D(x + σs) − D(x))² / σ² is |∇D|² in expectation. That of real images is R1 (Mescheder et al. 2018,
 * arXiv:1801.04406), that of fake ones R2; the approximation is that of Lin et al. 2025
 * (arXiv:2501.08316); it needs no gradient of a gradient, which our kernels do not have.
 *
 * @param judge D's logits of images.
 * @param options.logits those of `images`.
 * @param options.signs −1 or 1 at random, of the shape of `images`.
 */
export function gradientPenalty(
  judge: (images: tf.Tensor) => tf.Tensor,
  { images, logits, signs }: { images: tf.Tensor; logits: tf.Tensor; signs: tf.Tensor },
): tf.Tensor {
  const moved = judge(tf.add(images, tf.mul(signs, PENALTY_DISTANCE)));
  return tf.mean(tf.square(tf.div(tf.sub(moved, logits), PENALTY_DISTANCE)));
}
