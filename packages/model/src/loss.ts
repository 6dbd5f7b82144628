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

/** The share of the batch on the right side of probability 0.5, as Keras's `accuracy`. */
export function binaryAccuracy(logits: tf.Tensor, label: 0 | 1): tf.Scalar {
  return tf.tidy(() => {
    const right = label === 1 ? tf.greater(logits, 0) : tf.lessEqual(logits, 0);
    return tf.mean(tf.cast(right, 'float32')) as tf.Scalar;
  });
}
