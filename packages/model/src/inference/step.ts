import type * as tf from '@tensorflow/tfjs-core';

/** `[count, height, width, channels]` to the same; operations of several inputs take more. */
export type Step = (x: tf.Tensor4D, ...others: tf.Tensor4D[]) => tf.Tensor4D;

/** Marks a tensor to be freed with the generator. */
export type Keep = <T extends tf.Tensor>(tensor: T) => T;
