/**
 * The training step of preset `lite`: D once on as many real as fake images, then G through the
 * frozen D. It differs from the article's step (article-step.ts) in this:
 *
 * - D takes one Adam step for both halves, so a loss may compare them; each half passes through D by itself.
 * - G generates the fake images for D in training mode, normalized with the statistics of their batch. With
 *   moving statistics they would differ from those in G's own step, and D would learn that difference.
 * - D's gradient is penalized on both halves, which keeps D from becoming certain.
 * - Where the GAN is class-conditional, G generates images of the classes of the real ones, and D gives
 *   each image the logit of its class.
 * - Where there is an encoder, it learns together with G to reconstruct the real images. A GAN alone may
 *   drop modes; the reconstruction loss counts every image (Larsen et al. 2015, arXiv:1512.09300).
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
import type { StepLosses, SubStep } from './article-step.ts';
import { encodeImages } from './encoder.ts';
import type { Gan } from './gan.ts';
import { hasMapping, mapLatents, synthesisOf } from './mapping-network.ts';
import {
  type AdamOptions,
  applyAdam,
  type NetworkState,
  trainableSpecs,
  trainableTensors,
  updateMovingStatistics,
} from './network-state.ts';
import { reconstructionLossOf } from './reconstruction-loss.ts';
import { followSharedStart, updateSharedStart } from './shared-start.ts';

/** What the step takes of a run's methods. */
type StepMethods = Pick<Methods, 'loss' | 'gradientPenalty' | 'reconstructionWeight' | 'warmUp'> &
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

/**
 * D steps from one with a penalty to the next; each then counts as many times (Karras et al. 2020,
 * arXiv:1912.04958, "lazy regularization").
 */
const PENALTY_EVERY = 4;

/** Size of the finite difference of the gradient penalty, in units of [-1, 1]. */
const PENALTY_DISTANCE = 0.05;

/**
 * Weight of a nat of the posterior's KL divergence against the reconstruction loss: how much a latent may
 * tell about its image. (Zhu et al. 2017, "BicycleGAN", arXiv:1711.11586, take 0.001.) With the larger one from
 * the start the loss stays at 0.19 after 3,000 iterations, with the smaller one it is 0.16 then and falls on; at
 * the end the larger one takes 41 nats to 24, and reconstructions are as good.
 */
const DIVERGENCE_WEIGHT = { before: 1e-4, after: 5e-4 };

/** The part of the warm-up after which the learning rate falls and the weight of a nat rises. */
const SETTLES_AT = 0.8;

/** Beyond it tanh has next to no gradient. */
const SATURATED_FROM = 4;

/** The default weight of the reconstruction loss. */
const SATURATION_WEIGHT = 100;

/** The losses of a step: in the warm-up only the reconstruction loss; without an encoder all but it. */
export type LiteStepLosses = Partial<StepLosses> & {
  /** {@link reconstructionLossOf} the real images and their reconstructions. */
  reconstructionLoss?: tf.Scalar;
};

/** The losses of G's step: the adversarial one, the reconstruction loss, or both. */
type GeneratorLosses = Pick<LiteStepLosses, 'generatorLoss' | 'reconstructionLoss'>;

/** One iteration. The caller disposes of the inputs and the losses. */
export function trainLiteStep(
  gan: Gan,
  inputs: LiteStepInputs,
  { methods, adam: initialAdam }: { methods: StepMethods; adam: AdamOptions },
): LiteStepLosses {
  const { steps } = gan.generator;
  const warmUpSteps = gan.encoder ? methods.warmUp : 0;
  const learningRate = learningRateFactor(steps, warmUpSteps) * initialAdam.learningRate;
  const divergenceWeight = DIVERGENCE_WEIGHT[settles(steps, warmUpSteps) ? 'after' : 'before'];
  const adam = { ...initialAdam, learningRate, clipsUpdates: methods.updateClipping ?? false };
  if (gan.encoder && steps < warmUpSteps) {
    return warmUp(gan, gan.encoder, inputs, { methods, adam, divergenceWeight });
  }
  const discriminatorLosses = stepLiteDiscriminator(gan, inputs, { methods, adam });
  const generatorLosses = stepLiteGenerator(gan, inputs, { methods, adam, divergenceWeight });
  return { ...discriminatorLosses, ...generatorLosses };
}

/**
 * Names what the next step does: steps of one name do the same work, with the same learning rate.
 */
export function liteStepKind(
  { generator, discriminator, encoder }: Gan,
  { gradientPenalty: weight, warmUp: steps }: StepMethods,
): string {
  if (encoder && generator.steps < steps) {
    return settles(generator.steps, steps) ? 'lite, end of the warm-up' : 'lite, warm-up';
  }
  const penalized = weight > 0 && discriminator.steps % PENALTY_EVERY === 0;
  return `lite, with D${penalized ? ' and penalty' : ''}`;
}

/**
 * What the learning rate is multiplied by: 0.3 in the last fifth of the warm-up and after it, 1 before. G's
 * images are then right except for details, and larger steps destroy as many details as they add. Without a
 * warm-up always 1.
 */
export function learningRateFactor(steps: number, warmUp: number): number {
  return settles(steps, warmUp) ? 0.3 : 1;
}

const settles = (steps: number, warmUp: number) => warmUp > 0 && steps >= SETTLES_AT * warmUp;

function stepLiteDiscriminator(
  { generator, discriminator }: Gan,
  { realImages, discriminatorLatents, classes, augment, signs }: LiteStepInputs,
  { methods, adam }: { methods: StepMethods; adam: AdamOptions },
): Omit<StepLosses, 'generatorLoss'> {
  const fakeImages = tf.tidy(() =>
    applyNetwork(generator.network, generator.weights, discriminatorLatents, TRAINING),
  ) as tf.Tensor4D;
  const judge = (images: tf.Tensor) => logitsOf(discriminator, images, classes);
  const loss = ADVERSARIAL_LOSSES[methods.loss];
  const penalized = methods.gradientPenalty > 0 && discriminator.steps % PENALTY_EVERY === 0;
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

/** D's logits `[n, 1]`: of a class-conditional D that of each image's class. */
function logitsOf(
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

interface GeneratorOptions {
  methods: StepMethods;
  adam: AdamOptions;
  /** One of {@link DIVERGENCE_WEIGHT}. */
  divergenceWeight: number;
}

/** One step of G through the frozen D; with an encoder the reconstruction loss is added. */
function stepLiteGenerator(
  { generator, discriminator, encoder }: Gan,
  inputs: LiteStepInputs,
  options: GeneratorOptions,
): GeneratorLosses {
  const { methods, adam } = options;
  const { realImages, generatorLatents, classes, augment } = inputs;
  const judge = (images: tf.Tensor, part: 'real' | 'generator') => {
    const seen = augment ? augment(images as tf.Tensor4D, part) : images;
    return logitsOf(discriminator, seen, classes);
  };
  const real = tf.tidy(() => judge(realImages, 'real'));
  const adversarial = (images: tf.Tensor) =>
    ADVERSARIAL_LOSSES[methods.loss].generator(real, judge(images, 'generator'));
  const mapped = mapLatents(generator, generatorLatents);
  // Where latents are mapped, those of real images must stay where the mapping network has found them.
  const learning = hasMapping(generator.network) ? undefined : encoder;
  const losses = stepGenerator({ generator, encoder: learning, adam }, (generate) => {
    if (!encoder) {
      const generatorLoss = adversarial(generate(mapped));
      return { loss: generatorLoss, reported: { generatorLoss } };
    }
    const { latents, divergence } = encodeRealImages(encoder, inputs);
    // One batch for both, so that both are normalized alike.
    const both = generate(tf.concat([mapped, latents]));
    const [images, reconstructed] = tf.split(both, 2) as [tf.Tensor, tf.Tensor];
    const generatorLoss = adversarial(images);
    const { reconstructionLoss, loss } = autoencoderLoss(
      realImages,
      reconstructed,
      divergence,
      options,
    );
    return { loss: tf.add(generatorLoss, loss), reported: { generatorLoss, reconstructionLoss } };
  });
  tf.dispose([real, mapped]);
  return losses;
}

/** A step of G and the encoder alone: they learn to reconstruct real images. */
function warmUp(
  { generator }: Gan,
  encoder: NetworkState,
  inputs: LiteStepInputs,
  options: GeneratorOptions,
): GeneratorLosses {
  return stepGenerator({ generator, encoder, adam: options.adam }, (generate) => {
    const { latents, divergence } = encodeRealImages(encoder, inputs);
    const { reconstructionLoss, loss } = autoencoderLoss(
      inputs.realImages,
      generate(latents),
      divergence,
      options,
    );
    return { loss, reported: { reconstructionLoss } };
  });
}

/**
 * One Adam step of G, and of the encoder where there is one. The {@link saturation} of G's images is added to the loss.
 * @param lossOf gets a function from latents, as the mapping network gives them, to images; returns the loss, and the parts of it to report.
 * @returns the reported parts.
 */
function stepGenerator(
  {
    generator,
    encoder,
    adam,
  }: {
    generator: NetworkState;
    encoder: NetworkState | undefined;
    adam: AdamOptions;
  },
  lossOf: (generate: (latents: tf.Tensor) => tf.Tensor) => {
    loss: tf.Tensor;
    reported: GeneratorLosses;
  },
): GeneratorLosses {
  const statistics = new Map();
  let kept: GeneratorLosses = {};
  const { value, grads } = tf.valueAndGrads(() => {
    const weights = followSharedStart(generator.network, generator.weights);
    const network = synthesisOf(generator.network);
    let saturated: tf.Tensor = tf.scalar(0);
    const { loss, reported } = lossOf((latents) => {
      const beforeTanh = applyBeforeTanh(network, weights, latents, { ...TRAINING, statistics });
      saturated = saturation(beforeTanh);
      return tf.tanh(beforeTanh);
    });
    const parts = Object.entries<tf.Scalar>({ ...reported });
    kept = Object.fromEntries(parts.map(([part, value]) => [part, tf.keep(tf.clone(value))]));
    return tf.add(loss, tf.mul(saturated, SATURATION_WEIGHT)) as tf.Scalar;
  })([generator, encoder].flatMap((state) => (state ? trainableTensors(state) : [])));
  value.dispose();
  const own = trainableSpecs(generator.network).length;
  applyAdam(generator, grads.slice(0, own), adam);
  updateSharedStart(generator);
  if (encoder) applyAdam(encoder, grads.slice(own), adam);
  updateMovingStatistics(generator, statistics);
  return kept;
}

/**
 * How far the inputs of G's tanh are beyond ±4, where it has next to no gradient (tanh 4 is 0.9993, a tenth
 * of a level of 255 from 1): the mean over all. Without this term a patch that once went far beyond stayed
 * black for ever, because no loss of the image has a gradient there.
 */
export function saturation(beforeTanh: tf.Tensor): tf.Tensor {
  return tf.mean(tf.relu(tf.sub(tf.abs(beforeTanh), SATURATED_FROM)));
}

/** Latents of real images, `[half, latent]`: sampled from the posterior, with their classes. */
function encodeRealImages(
  encoder: NetworkState,
  { realImages, encoderNoise, generatorLatents, classes }: LiteStepInputs,
): ReturnType<typeof encodeImages> {
  const { latents, divergence } = encodeImages(encoder, {
    images: realImages,
    noise: encoderNoise,
    classes,
  });
  return { latents: withClassOf(generatorLatents, latents), divergence };
}

/**
 * The reconstruction loss, and the loss of the autoencoder of encoder and G: reconstruction loss + weighted
 * KL divergence. The weight of both is the same in the warm-up and after it: at a sudden change of a hundredfold
 * Adam takes far too large steps.
 */
function autoencoderLoss(
  real: tf.Tensor4D,
  reconstructed: tf.Tensor,
  divergence: tf.Scalar,
  { methods: { reconstructionWeight }, divergenceWeight }: GeneratorOptions,
): { reconstructionLoss: tf.Scalar; loss: tf.Tensor } {
  const reconstructionLoss = reconstructionLossOf(real, reconstructed as tf.Tensor4D);
  const withDivergence = tf.add(reconstructionLoss, tf.mul(divergence, divergenceWeight));
  return { reconstructionLoss, loss: tf.mul(withDivergence, reconstructionWeight) };
}

/** `components`, then the class of `latents`: their last components, where there are more. */
function withClassOf(latents: tf.Tensor2D, components: tf.Tensor2D): tf.Tensor2D {
  const [count, size] = latents.shape;
  const free = components.shape[1];
  if (free === size) return components;
  return tf.concat([components, tf.slice(latents, [0, free], [count, size - free])], 1);
}

/** None of these networks has dropout. */
const TRAINING = {
  training: true,
  dropoutMask: (layer: string): tf.Tensor => {
    throw new Error(`${layer} is dropout: the lite step has no masks`);
  },
} satisfies Mode;
