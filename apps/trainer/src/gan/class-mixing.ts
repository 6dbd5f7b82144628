/**
 * Latents between two classes, for training: a walk between seeds of two classes passes them, and G renders
 * blends there if it has learned from latents of one class only.
 *
 * A point on the walk from class a to class b, at a share t of b, belongs to one of the two: to a where
 * `1 − 2t + lead ≥ 0`. The lead of a over b is the difference of two components of the latent, those at
 * the places of a and b, within ±{@link MOST_LEAD}. So each point between classes stands for a whole
 * image of one of them; where a walk changes over depends on its latent, and is not always its middle.
 * The idea of training on interpolated latents is that of Berthelot et al. 2019 (ACAI, arXiv:1807.07543)
 * and of Beckham et al. 2019 (arXiv:1903.02709).
 *
 * @module
 */
import { type LatentSpace, placeClasses, type Random } from '@killme/model';
import type { Methods } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';

/** Below 1, so that both ends of every walk belong to their own class. */
const MOST_LEAD = 0.8;

/** Share of latents that lie between two classes. */
const MIXED_SHARE = 0.5;

/** Latents that are tried for one on the right side of its walk; one try in two succeeds. */
const MOST_TRIES = 64;

/**
 * Whether an iteration mixes classes: in the last fifth of the warm-up, and after it. From the first on it would
 * take G longer to find what images of one class differ in.
 */
export function mixesAt(
  iteration: number,
  { classMixing, warmUp }: Pick<Methods, 'classMixing' | 'warmUp'>,
): boolean {
  return classMixing && iteration >= warmUp * 0.8;
}

/** How far class `own` leads over class `other` at a latent. */
export function leadOf(latent: ArrayLike<number>, own: number, other: number): number {
  return Math.max(-MOST_LEAD, Math.min(MOST_LEAD, latent[own]! - latent[other]!));
}

/**
 * Moves a share of latents onto random walks that begin or end at them, in place, each at a point that
 * belongs to its own class.
 * @param latents `[labels.length × space.size]`, each of the class that its label names
 */
export function mixClasses(
  latents: Float32Array,
  { labels, space, random }: { labels: ArrayLike<number>; space: LatentSpace; random: Random },
): Float32Array {
  const { size, classes = [] } = space;
  const free = size - classes.length;
  for (let i = 0; i < labels.length; i++) {
    if (unit(random) >= MIXED_SHARE) continue;
    const latent = latents.subarray(i * size, (i + 1) * size);
    const own = labels[i]!;
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const other = otherClass(own, classes.length, random);
      const end = random.uniform(size);
      const share = unit(random);
      const point = latent.map((value, z) => value * (1 - share) + end[z]! * share);
      if (1 - 2 * share + leadOf(point, own, other) < 0) continue;
      placeClasses(point, [own], space);
      point[free + own] = 1 - 2 * share;
      point[free + other] = 2 * share - 1;
      latent.set(point);
      break;
    }
  }
  return latents;
}

/** Random numbers that put latents of real images between classes; a row an image. */
export interface ClassMixture<Others, Shares> {
  /** A class that is not the image's own. */
  others: Others;
  /** 0 … 1: how far towards the farthest point that still belongs to the image's class. */
  shares: Shares;
}

/** @param labels class of each image */
export function sampleMixture(
  labels: ArrayLike<number>,
  classes: number,
  random: Random,
): ClassMixture<Uint16Array, Float32Array> {
  const others = Uint16Array.from(labels, (own) => otherClass(own, classes, random));
  const shares = Float32Array.from(labels, () => (unit(random) < MIXED_SHARE ? unit(random) : 0));
  return { others, shares };
}

/**
 * The components that say the class, of images whose other components are known, `[n, classes]`. No
 * gradient passes: where a latent lies must not be bent to where its class ends.
 * @param components `[n, free]`
 * @param classes `[n, classes]`, 1 at the class of each image
 * @param mixture `others` like `classes`, `shares` `[n, 1]`
 */
export function mixedCodes(
  components: tf.Tensor2D,
  classes: tf.Tensor2D,
  { others, shares }: ClassMixture<tf.Tensor2D, tf.Tensor2D>,
): tf.Tensor2D {
  return withoutGradient(components, (values) => {
    const count = classes.shape[1];
    const difference = tf.sub<tf.Tensor2D>(classes, others);
    const first = tf.slice(values, [0, 0], [values.shape[0], count]);
    const lead = tf.clipByValue(tf.sum(tf.mul(first, difference), 1, true), -MOST_LEAD, MOST_LEAD);
    const farthest = tf.clipByValue(tf.div(tf.add(lead, 1), 2), 0, 1);
    const share = tf.mul(farthest, shares);
    return tf.sub(
      tf.sub(tf.mul(classes, 2), 1),
      tf.mul(tf.mul(difference, 2), share),
    ) as tf.Tensor2D;
  });
}

function withoutGradient(x: tf.Tensor2D, apply: (x: tf.Tensor2D) => tf.Tensor2D): tf.Tensor2D {
  return tf.customGrad((input) => ({
    value: apply(input as tf.Tensor2D),
    gradFunc: () => tf.zerosLike(input as tf.Tensor2D),
  }))(x) as tf.Tensor2D;
}

const unit = (random: Random) => (random.uniform(1)[0]! + 1) / 2;

/** Any class but one's own, all alike. */
function otherClass(own: number, classes: number, random: Random): number {
  const sampled = random.integers(1, classes - 1)[0]!;
  return sampled < own ? sampled : sampled + 1;
}
