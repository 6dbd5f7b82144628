/**
 * The latents of given images: the encoder's part of a variational autoencoder (Kingma & Welling 2013,
 * arXiv:1312.6114) whose prior is the uniform distribution of our latents.
 *
 * The posterior is a normal distribution for each component. Mapped by 2Φ(x) − 1, Φ being the
 * standard normal distribution function, N(0, 1) is the uniform distribution over (−1, 1): so the
 * KL divergence from the prior is the usual one of two normal distributions.
 *
 * @module
 */
import { WHITENING } from '@killme/model';
import { applyNetwork, type NetworkWeights, softplus } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { PlacedNetwork } from './network-state.ts';

/** The largest |mean| of a posterior: 2Φ(3) − 1 = 0.997. */
const MAX_MEAN = 3;

/** A normal distribution for each component of the latent of each image, `[n, components]`. */
export interface Posterior {
  mean: tf.Tensor2D;
  logVariance: tf.Tensor2D;
}

interface EncoderInputs {
  /** `[n, height, width, 3]` in [-1, 1]. */
  images: tf.Tensor4D;
  /** Standard normal, `[n, components]`; samples the posterior. */
  noise: (components: number) => tf.Tensor2D;
  /** One-hot, `[n, classes]`; absent where the GAN is not class-conditional. */
  classes?: tf.Tensor2D | undefined;
}

/**
 * Samples latents of images from their posterior.
 *
 * @returns `latents` `[n, components]`, in (−1, 1) before they are whitened; `divergence`: the mean over
 * images of the Kullback–Leibler divergence of the posterior from the prior, in nats.
 */
export function encodeImages(
  encoder: PlacedNetwork,
  { images, noise, classes }: EncoderInputs,
): { latents: tf.Tensor2D; divergence: tf.Scalar } {
  return tf.tidy(() => {
    const posterior = encodePosterior(encoder, images);
    const { mean, logVariance } = posterior;
    const squares = tf.add(tf.square(mean), tf.exp(logVariance));
    const divergences = tf.mul(tf.sub(squares, tf.add(logVariance, 1)), 0.5);
    const sampled = samplePosterior(posterior, noise(mean.shape[1]));
    const latents = whiten(encoder.weights, sampled, classes);
    return { latents, divergence: tf.mean(tf.sum(divergences, 1)) as tf.Scalar };
  });
}

/**
 * The posterior of images. An encoder that overshoots must not destabilize G: means are bounded, and no
 * variance is above that of the prior.
 * @param images `[n, height, width, 3]` in [-1, 1]
 */
export function encodePosterior(
  { network, weights }: PlacedNetwork,
  images: tf.Tensor4D,
): Posterior {
  return tf.tidy(() => {
    const output = applyNetwork(network, weights, images, { training: false });
    const [rawMean, rawPrecision] = tf.split(output, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    return {
      mean: tf.mul<tf.Tensor2D>(tf.tanh(tf.div(rawMean, MAX_MEAN)), MAX_MEAN),
      logVariance: tf.neg(softplus(rawPrecision) as tf.Tensor2D),
    };
  });
}

/** Latents sampled from a posterior, `[n, components]` in (−1, 1), not whitened. */
export function samplePosterior({ mean, logVariance }: Posterior, noise: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => toUniform(tf.add(mean, tf.mul(tf.exp(tf.mul(logVariance, 0.5)), noise))));
}

/** The whitening of an encoder that has one (see `withWhitening`); otherwise the latents as they are. */
export function whiten(
  weights: NetworkWeights,
  latents: tf.Tensor2D,
  classes: tf.Tensor2D | undefined,
): tf.Tensor2D {
  const [means, kernel] = [weights.get(WHITENING.mean), weights.get(WHITENING.kernel)];
  if (!means || !kernel) return latents;
  const mean = classes ? tf.matMul(classes, means as tf.Tensor2D) : means;
  return tf.matMul(tf.sub<tf.Tensor2D>(latents, mean), kernel as tf.Tensor2D);
}

/**
 * 2Φ(x) − 1 by tanh, within 0.0004 (Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2): not every
 * engine has the error function.
 */
export function toUniform(x: tf.Tensor): tf.Tensor2D {
  const bent = tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715));
  return tf.tanh(tf.mul(bent, Math.sqrt(2 / Math.PI)));
}
