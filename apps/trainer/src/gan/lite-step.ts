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
import type { Gan } from './gan.ts';
import { isPenalized, stepLiteDiscriminator } from './lite-discriminator-step.ts';
import { stepLiteGenerator, stepWarmUp } from './lite-generator-step.ts';
import type { LiteStepInputs, LiteStepLosses, LiteStepMethods } from './lite-step-inputs.ts';
import type { AdamOptions } from './network-state.ts';

/**
 * Weight of a nat of the posterior's KL divergence against the reconstruction loss: how much a latent may
 * tell about its image. (Zhu et al. 2017, "BicycleGAN", arXiv:1711.11586, take 0.001.) With the larger one from
 * the start the loss stays at 0.19 after 3,000 iterations, with the smaller one it is 0.16 then and falls on; at
 * the end the larger one takes 41 nats to 24, and reconstructions are as good.
 */
const DIVERGENCE_WEIGHT = { before: 1e-4, after: 5e-4 };

/** The part of the warm-up after which the learning rate falls and the weight of a nat rises. */
const SETTLES_AT = 0.8;

/** One iteration. The caller disposes of the inputs and the losses. */
export function trainLiteStep(
  gan: Gan,
  inputs: LiteStepInputs,
  { methods, adam: initialAdam }: { methods: LiteStepMethods; adam: AdamOptions },
): LiteStepLosses {
  const { steps } = gan.generator;
  const warmUpSteps = gan.encoder ? methods.warmUp : 0;
  const learningRate = learningRateFactor(steps, warmUpSteps) * initialAdam.learningRate;
  const divergenceWeight = DIVERGENCE_WEIGHT[settles(steps, warmUpSteps) ? 'after' : 'before'];
  const adam = { ...initialAdam, learningRate, clipsUpdates: methods.updateClipping ?? false };
  if (gan.encoder && steps < warmUpSteps) {
    return stepWarmUp(gan, gan.encoder, inputs, { methods, adam, divergenceWeight });
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
  methods: LiteStepMethods,
): string {
  const { warmUp } = methods;
  if (encoder && generator.steps < warmUp) {
    return settles(generator.steps, warmUp) ? 'lite, end of the warm-up' : 'lite, warm-up';
  }
  return `lite, with D${isPenalized(discriminator, methods) ? ' and penalty' : ''}`;
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
