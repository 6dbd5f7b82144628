/**
 * G's part of the lite step (lite-step.ts): the adversarial loss through the frozen D, and the reconstruction loss,
 * for which the encoder learns with G.
 *
 * @module
 */
import { ADVERSARIAL_LOSSES, applyBeforeTanh } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { encodeImages } from './encoder.ts';
import type { Gan } from './gan.ts';
import { logitsOf } from './lite-discriminator-step.ts';
import {
  type LiteStepInputs,
  type LiteStepLosses,
  type LiteStepMethods,
  TRAINING,
} from './lite-step-inputs.ts';
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

/** Beyond it tanh has next to no gradient. */
const SATURATED_FROM = 4;

/** As much as the default weight of the reconstruction loss. */
const SATURATION_WEIGHT = 100;

/** The losses of G's step: the adversarial one, the reconstruction loss, or both. */
type GeneratorLosses = Pick<LiteStepLosses, 'generatorLoss' | 'reconstructionLoss'>;

interface GeneratorOptions {
  methods: LiteStepMethods;
  adam: AdamOptions;
  /** Of a nat of the posterior's KL divergence against the reconstruction loss. */
  divergenceWeight: number;
}

/** One step of G through the frozen D; with an encoder the reconstruction loss is added. */
export function stepLiteGenerator(
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

/** A step of the warm-up, of G and the encoder alone: they learn to reconstruct real images. */
export function stepWarmUp(
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
