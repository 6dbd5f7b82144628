import * as tf from '@tensorflow/tfjs-core';

/**
 * Binary cross-entropy of logits x against one label y for all of the batch, as its mean:
 * max(x, 0) − x · y + log(1 + e^(−|x|)), which is −y log σ(x) − (1 − y) log(1 − σ(x)) without overflow.
 * (Keras 3 computes `binary_crossentropy` after a sigmoid from the logits too; the Keras of the
 * article clipped the probability to [1e-7, 1 − 1e-7] first, which differs beyond |x| ≈ 16.)
 *
 * @param logits `[batch, 1]`
 * @param label 1 for real, 0 for fake
 */
export function binaryCrossEntropy(logits: tf.Tensor, label: 0 | 1): tf.Scalar {
  return tf.tidy(() => {
    // With one label the formula is softplus(−x) for 1 and softplus(x) for 0.
    const signed = label === 1 ? tf.neg(logits) : logits;
    return tf.mean(tf.add(tf.relu(signed), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))))) as tf.Scalar;
  });
}

/** The fraction of the batch on the right side of probability 0.5, as Keras's `accuracy`. */
export function binaryAccuracy(logits: tf.Tensor, label: 0 | 1): tf.Scalar {
  return tf.tidy(() => {
    const right = label === 1 ? tf.greater(logits, 0) : tf.lessEqual(logits, 0);
    return tf.mean(tf.cast(right, 'float32')) as tf.Scalar;
  });
}

/** What D and G play for: from the logits of D on real and on fake images, `[n, 1]` each. */
export interface AdversarialLoss {
  /** D's losses on its two halves, log 2 each or 1 for a D that cannot tell. */
  real(real: tf.Tensor, fake: tf.Tensor): tf.Scalar;
  fake(real: tf.Tensor, fake: tf.Tensor): tf.Scalar;
  generator(real: tf.Tensor, fake: tf.Tensor): tf.Scalar;
  /** D's loss is its halves' sum times this: 1/2 where both halves are the loss of the same pairs. */
  scale: number;
}

/** log(1 + eˣ) without overflow; not every engine has it ready-made. */
export const softplus = (x: tf.Tensor): tf.Tensor =>
  tf.add(tf.relu(x), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
const meanSoftplus = (x: tf.Tensor): tf.Scalar => tf.mean(softplus(x));

/** The losses of {@link AdversarialLoss} by name, each with its source. */
export const ADVERSARIAL_LOSSES = {
  /** Non-saturating logistic, the article's cross-entropy (Goodfellow et al. 2014, arXiv:1406.2661). */
  logistic: {
    real: (real) => meanSoftplus(tf.neg(real)),
    fake: (_, fake) => meanSoftplus(fake),
    generator: (_, fake) => meanSoftplus(tf.neg(fake)),
    scale: 1,
  },
  /** D is content beyond ±1 (Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, arXiv:1802.05957). */
  hinge: {
    real: (real) => tf.mean(tf.relu(tf.sub(1, real))),
    fake: (_, fake) => tf.mean(tf.relu(tf.add(1, fake))),
    generator: (_, fake) => tf.neg(tf.mean(fake)),
    scale: 1,
  },
  /**
   * Each fake image against a real one (Jolicoeur-Martineau 2018, arXiv:1807.00734); with a penalty on
   * both gradients it covered all modes where the logistic loss did not (Huang et al. 2024,
   * arXiv:2501.05441, "R3GAN").
   */
  relativistic: {
    real: (real, fake) => meanSoftplus(tf.sub(fake, real)),
    fake: (real, fake) => meanSoftplus(tf.sub(fake, real)),
    generator: (real, fake) => meanSoftplus(tf.sub(real, fake)),
    scale: 1 / 2,
  },
} as const satisfies Record<string, AdversarialLoss>;

export type AdversarialLossName = keyof typeof ADVERSARIAL_LOSSES;

/** D's loss: both halves of an {@link AdversarialLoss}. */
export function discriminatorLoss(
  loss: AdversarialLoss,
  real: tf.Tensor,
  fake: tf.Tensor,
): tf.Scalar {
  return tf.mul(tf.add(loss.real(real, fake), loss.fake(real, fake)), loss.scale);
}
