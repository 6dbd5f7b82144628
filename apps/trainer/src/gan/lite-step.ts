/**
 * The training step of preset `lite`: D once on as many real as fake images, then G through the
 * frozen D. What it does otherwise than the article's step (step.ts):
 *
 * - D takes one Adam step for both halves, so a loss may compare them; they still pass through D apart.
 * - The images that D learns from are drawn by G as it trains, normalized with their batch. On moving
 *   statistics they would differ from those that G is judged by, and D would learn that difference.
 * - D's gradient is penalized on both halves, which keeps D from being right every time.
 * - Where classes are told, G draws images of the classes of the real ones, and D gives each image the
 *   logit of its class.
 * - Where there is an encoder, it learns with G to draw the real images again: a GAN alone may leave
 *   out what it finds hard, this error counts every image (Larsen et al. 2015, arXiv:1512.09300).
 *
 * @module
 */
import {
  ADVERSARIAL_LOSSES,
  type AdversarialLoss,
  applyBeforeTanh,
  applyNetwork,
  applyToLogits,
  discriminatorLoss,
  type Methods,
  type Mode,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { Augment, Gan, StepLosses } from './article-step.ts';
import { encode } from './encoder.ts';
import {
  type AdamOptions,
  applyAdam,
  type NetworkState,
  trainableSpecs,
  trainableTensors,
  updateMovingStatistics,
} from './network-state.ts';
import { pyramidError } from './reconstruction-loss.ts';

/** What the step takes of a run's methods. */
type StepMethods = Pick<Methods, 'loss' | 'gradientPenalty' | 'reconstruction' | 'warmUp'>;

/** The draws of a step; half is half the batch. */
export interface PairedInputs {
  /** `[half, height, width, 3]` in [-1, 1]. */
  realImages: tf.Tensor4D;
  /** `[half, classes]`, 1 at the class of each real image; left out where D has one logit only. */
  classes?: tf.Tensor2D | undefined;
  /** `[half, latent]` each, of the classes of the real images. */
  discriminatorLatents: tf.Tensor2D;
  generatorLatents: tf.Tensor2D;
  augment?: Augment | undefined;
  /** `[half, components]` of the standard normal distribution; for the encoder. */
  encoderNoise: (components: number) => tf.Tensor2D;
  /** −1 or 1 at random, of the given shape; for the penalty. */
  signs: (part: 'real' | 'fake', shape: readonly number[]) => tf.Tensor;
}

/**
 * D steps from one with a penalty to the next; each then counts as many times (Karras et al. 2020,
 * arXiv:1912.04958, "lazy regularization").
 */
const PENALTY_EVERY = 4;

/** How far an image is moved to see how D changes, in units of [-1, 1]. */
const PENALTY_DISTANCE = 0.05;

/**
 * What a nat of the encoder's divergence weighs against G's error in drawing again: where it pays to
 * say more of an image. (Zhu et al. 2017, "BicycleGAN", arXiv:1711.11586, take 0.001.)
 */
const DIVERGENCE_WEIGHT = 1e-4;

/** Where tanh no longer has a slope to speak of. */
const SATURATED_FROM = 4;

/** As much as the error of drawing again has by default. */
const SATURATION_WEIGHT = 100;

/** What a step took: in the warm-up the error of drawing again alone, without an encoder all but it. */
export type PairedStepLosses = Partial<StepLosses> & {
  /** {@link pyramidError} of the real images drawn again. */
  redrawError?: tf.Scalar;
};

/** What G's step took: what D makes of its images, the error of drawing again, or both. */
type GeneratorLosses = Pick<PairedStepLosses, 'generatorLoss' | 'redrawError'>;

/** One iteration. The caller disposes of the inputs and the losses. */
export function trainPairedStep(
  gan: Gan,
  inputs: PairedInputs,
  { methods, adam: begun }: { methods: StepMethods; adam: AdamOptions },
): PairedStepLosses {
  const { steps } = gan.generator;
  const warmUpSteps = gan.encoder ? methods.warmUp : 0;
  const share = learningRateShare(steps, warmUpSteps);
  const adam = { ...begun, learningRate: share * begun.learningRate };
  if (gan.encoder && steps < warmUpSteps) {
    return warmUp(gan, gan.encoder, inputs, { methods, adam });
  }
  const discriminatorLosses = trainDiscriminatorOnPairs(gan, inputs, { methods, adam });
  const generatorLosses = trainGeneratorOnPairs(gan, inputs, { methods, adam });
  return { ...discriminatorLosses, ...generatorLosses };
}

/**
 * The share of the learning rate that a step takes: all of it in the warm-up, three tenths after it. What
 * G draws is right but for details by then, and steps as large as at first undo as many of them as they
 * bring. Without a warm-up all of it: nothing is settled at any time.
 */
export function learningRateShare(steps: number, warmUp: number): number {
  return warmUp > 0 && steps >= warmUp ? 0.3 : 1;
}

function trainDiscriminatorOnPairs(
  { generator, discriminator }: Gan,
  { realImages, discriminatorLatents, classes, augment, signs }: PairedInputs,
  { methods, adam }: { methods: StepMethods; adam: AdamOptions },
): Omit<StepLosses, 'generatorLoss'> {
  const fakeImages = tf.tidy(() =>
    applyNetwork(generator.network, generator.weights, discriminatorLatents, TRAINING),
  ) as tf.Tensor4D;
  const judge = (images: tf.Tensor) => logitsOf(discriminator, images, classes);
  const loss = ADVERSARIAL_LOSSES[methods.loss];
  const penalized = methods.gradientPenalty > 0 && discriminator.steps % PENALTY_EVERY === 0;
  let logits: { real: tf.Tensor; fake: tf.Tensor } | undefined;
  const { value, grads } = tf.valueAndGrads(() => {
    const judged = (['real', 'fake'] as const).map((part) => {
      const images = part === 'real' ? realImages : fakeImages;
      const seen = augment ? augment(images, part) : images;
      const scores = judge(seen);
      if (!penalized) return { scores, penalty: tf.scalar(0) };
      const penalty = gradientPenalty(judge, {
        images: seen,
        scores,
        signs: signs(part, seen.shape),
      });
      return { scores, penalty };
    });
    const [real, fake] = judged as [(typeof judged)[0], (typeof judged)[0]];
    logits = { real: tf.keep(tf.clone(real.scores)), fake: tf.keep(tf.clone(fake.scores)) };
    const penalties = tf.add(real.penalty, fake.penalty);
    return tf.add(
      discriminatorLoss(loss, real.scores, fake.scores),
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

/** D's logits `[n, 1]`, each the one of its image's class where there are more. */
function logitsOf(
  { network, weights }: NetworkState,
  images: tf.Tensor,
  classes: tf.Tensor2D | undefined,
): tf.Tensor {
  const logits = applyToLogits(network, weights, images, TRAINING);
  return classes ? tf.sum(tf.mul(logits, classes), 1, true) : logits;
}

/** D's loss on each half, and how often it puts an image on the right side of the other half's mean. */
function lossesOfHalves(
  loss: AdversarialLoss,
  { real, fake }: { real: tf.Tensor; fake: tf.Tensor },
): Omit<StepLosses, 'generatorLoss'> {
  return tf.tidy(() => {
    const share = (right: tf.Tensor) => tf.mean(tf.cast(right, 'float32')) as tf.Scalar;
    return {
      realLoss: loss.real(real, fake),
      fakeLoss: loss.fake(real, fake),
      realAccuracy: share(tf.greater(real, tf.mean(fake))),
      fakeAccuracy: share(tf.less(fake, tf.mean(real))),
    };
  });
}

/**
 * The mean square of D's gradient by its image, by finite differences: with signs s at random,
 * (D(x + σs) − D(x))² / σ² is |∇D|² in expectation. That of real images is R1 (Mescheder et al. 2018,
 * arXiv:1801.04406), that of fake ones R2; the approximation is that of Lin et al. 2025
 * (arXiv:2501.08316), and needs no gradient of a gradient, which our kernels do not have.
 */
export function gradientPenalty(
  judge: (images: tf.Tensor) => tf.Tensor,
  { images, scores, signs }: { images: tf.Tensor; scores: tf.Tensor; signs: tf.Tensor },
): tf.Tensor {
  const moved = judge(tf.add(images, tf.mul(signs, PENALTY_DISTANCE)));
  return tf.mean(tf.square(tf.div(tf.sub(moved, scores), PENALTY_DISTANCE)));
}

/** G's loss is what D makes of its images; the error of drawing again is a figure by itself. */
function trainGeneratorOnPairs(
  { generator, discriminator, encoder }: Gan,
  inputs: PairedInputs,
  { methods, adam }: { methods: StepMethods; adam: AdamOptions },
): GeneratorLosses {
  const { realImages, generatorLatents, classes, augment } = inputs;
  const judge = (images: tf.Tensor, part: 'real' | 'generator') => {
    const seen = augment ? augment(images as tf.Tensor4D, part) : images;
    return logitsOf(discriminator, seen, classes);
  };
  const real = tf.tidy(() => judge(realImages, 'real'));
  const adversarial = (images: tf.Tensor) =>
    ADVERSARIAL_LOSSES[methods.loss].generator(real, judge(images, 'generator'));
  const losses = stepGenerator({ generator, encoder, adam }, (draw) => {
    if (!encoder) {
      const generatorLoss = adversarial(draw(generatorLatents));
      return { loss: generatorLoss, shown: { generatorLoss } };
    }
    const { latents, divergence } = encodeBatch(encoder, inputs);
    // One batch for both, so that both are normalized alike.
    const both = draw(tf.concat([generatorLatents, latents]));
    const [images, again] = tf.split(both, 2) as [tf.Tensor, tf.Tensor];
    const generatorLoss = adversarial(images);
    const { redrawError, loss } = redrawLoss(realImages, again, divergence, methods);
    return { loss: tf.add(generatorLoss, loss), shown: { generatorLoss, redrawError } };
  });
  real.dispose();
  return losses;
}

/** G and the encoder alone, which learn to draw real images again. */
function warmUp(
  { generator }: Gan,
  encoder: NetworkState,
  inputs: PairedInputs,
  { methods, adam }: { methods: StepMethods; adam: AdamOptions },
): GeneratorLosses {
  return stepGenerator({ generator, encoder, adam }, (draw) => {
    const { latents, divergence } = encodeBatch(encoder, inputs);
    const { redrawError, loss } = redrawLoss(inputs.realImages, draw(latents), divergence, methods);
    return { loss, shown: { redrawError } };
  });
}

/**
 * One Adam step of G, and of the encoder where there is one. G pays for {@link saturation} too.
 * @param lossOf the loss, given what draws images from latents, and the parts of it that are shown.
 * @returns the parts that are shown.
 */
function stepGenerator(
  {
    generator,
    encoder,
    adam,
  }: { generator: NetworkState; encoder: NetworkState | undefined; adam: AdamOptions },
  lossOf: (draw: (latents: tf.Tensor) => tf.Tensor) => { loss: tf.Tensor; shown: GeneratorLosses },
): GeneratorLosses {
  const statistics = new Map();
  let kept: GeneratorLosses = {};
  const { value, grads } = tf.valueAndGrads(() => {
    const { network, weights } = generator;
    let saturated: tf.Tensor = tf.scalar(0);
    const { loss, shown } = lossOf((latents) => {
      const drawn = applyBeforeTanh(network, weights, latents, { ...TRAINING, statistics });
      saturated = saturation(drawn);
      return tf.tanh(drawn);
    });
    const parts = Object.entries<tf.Scalar>({ ...shown });
    kept = Object.fromEntries(parts.map(([part, value]) => [part, tf.keep(tf.clone(value))]));
    return tf.add(loss, tf.mul(saturated, SATURATION_WEIGHT)) as tf.Scalar;
  })([generator, encoder].flatMap((state) => (state ? trainableTensors(state) : [])));
  value.dispose();
  const own = trainableSpecs(generator.network).length;
  applyAdam(generator, grads.slice(0, own), adam);
  if (encoder) applyAdam(encoder, grads.slice(own), adam);
  updateMovingStatistics(generator, statistics);
  return kept;
}

/**
 * How far the numbers under G's tanh are beyond where it still has a slope (4: tanh is 0.9993, a tenth
 * of a level of 255 from 1), the mean over all. Without it a patch that once went far beyond stayed black
 * for ever: no error of what is drawn has a gradient there.
 */
export function saturation(beforeTanh: tf.Tensor): tf.Tensor {
  return tf.mean(tf.relu(tf.sub(tf.abs(beforeTanh), SATURATED_FROM)));
}

/** The latents of real images, `[half, latent]`: what the encoder says, and their classes. */
function encodeBatch(
  encoder: NetworkState,
  { realImages, encoderNoise, generatorLatents, classes }: PairedInputs,
): ReturnType<typeof encode> {
  const { latents, divergence } = encode(encoder, {
    images: realImages,
    noise: encoderNoise,
    classes,
  });
  return { latents: withClassOf(generatorLatents, latents), divergence };
}

/**
 * G's error in drawing real images again; and its loss, which adds what it costs to say as much of them. It
 * weighs as much in the warm-up as after it: Adam takes a sudden hundredfold for a reason to leap.
 */
function redrawLoss(
  real: tf.Tensor4D,
  again: tf.Tensor,
  divergence: tf.Scalar,
  { reconstruction }: StepMethods,
): { redrawError: tf.Scalar; loss: tf.Tensor } {
  const redrawError = pyramidError(real, again as tf.Tensor4D);
  const withDivergence = tf.add(redrawError, tf.mul(divergence, DIVERGENCE_WEIGHT));
  return { redrawError, loss: tf.mul(withDivergence, reconstruction) };
}

/** `components`, then what `latents` say of the class: their last components, where there are more. */
function withClassOf(latents: tf.Tensor2D, components: tf.Tensor2D): tf.Tensor2D {
  const [count, size] = latents.shape;
  const free = components.shape[1];
  if (free === size) return components;
  return tf.concat([components, tf.slice(latents, [0, free], [count, size - free])], 1);
}

/** None of these networks drops out. */
const TRAINING = {
  training: true,
  dropoutMask: (layer: string): tf.Tensor => {
    throw new Error(`${layer} drops out: the paired step has no masks`);
  },
} satisfies Mode;
