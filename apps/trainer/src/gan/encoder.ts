/**
 * Which latents G is to draw given images from: the encoder's part of a variational autoencoder
 * (Kingma & Welling 2013, arXiv:1312.6114) whose prior is the uniform distribution of our latents.
 *
 * The encoder says a normal distribution for each component. Mapped by 2Φ(x) − 1, Φ being the
 * standard normal distribution function, N(0, 1) is the uniform distribution over (−1, 1): so the
 * divergence from the prior is the usual one of two normal distributions.
 *
 * @module
 */
import { WHITENING } from '@killme/model';
import { applyNetwork, type NetworkWeights, softplus } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { PlacedNetwork } from './network-state.ts';

/** How far from 0 a mean may lie: 2Φ(3) − 1 = 0.997. */
const FARTHEST = 3;

/** A normal distribution for each component of each image's latent, `[n, components]`. */
interface Said {
  mean: tf.Tensor2D;
  logVariance: tf.Tensor2D;
}

/** What is encoded. */
interface Encoded {
  /** `[n, height, width, 3]` in [-1, 1]. */
  images: tf.Tensor4D;
  /** `[n, components]` of the standard normal distribution. */
  noise: (components: number) => tf.Tensor2D;
  /** `[n, classes]`, 1 at the class of each image; left out where classes are not told. */
  classes?: tf.Tensor2D | undefined;
}

/**
 * An encoder that overshoots must not carry G away: means are bounded, and no variance is above that
 * of the prior.
 *
 * @returns latents drawn by the noise from what the encoder says, `[n, components]`, in (−1, 1) before
 * they are whitened, and how far that is from knowing nothing: the mean over images of the Kullback–Leibler divergence from
 * the prior, in nats.
 */
export function encode(
  encoder: PlacedNetwork,
  { images, noise, classes }: Encoded,
): { latents: tf.Tensor2D; divergence: tf.Scalar } {
  return tf.tidy(() => {
    const said = askEncoder(encoder, images);
    const { mean, logVariance } = said;
    const squares = tf.add(tf.square(mean), tf.exp(logVariance));
    const divergences = tf.mul(tf.sub(squares, tf.add(logVariance, 1)), 0.5);
    const drawn = drawSaid(said, noise(mean.shape[1]));
    const latents = whiten(encoder.weights, drawn, classes);
    return { latents, divergence: tf.mean(tf.sum(divergences, 1)) as tf.Scalar };
  });
}

/** @param images `[n, height, width, 3]` in [-1, 1] */
export function askEncoder({ network, weights }: PlacedNetwork, images: tf.Tensor4D): Said {
  return tf.tidy(() => {
    const said = applyNetwork(network, weights, images, { training: false });
    const [place, certainty] = tf.split(said, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    return {
      mean: tf.mul<tf.Tensor2D>(tf.tanh(tf.div(place, FARTHEST)), FARTHEST),
      logVariance: tf.neg(softplus(certainty) as tf.Tensor2D),
    };
  });
}

/** Latents drawn from what an encoder says, `[n, components]` in (−1, 1), not whitened. */
export function drawSaid({ mean, logVariance }: Said, noise: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => toUniform(tf.add(mean, tf.mul(tf.exp(tf.mul(logVariance, 0.5)), noise))));
}

/** The last step of an encoder that has it: see {@link withWhitening}. */
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
