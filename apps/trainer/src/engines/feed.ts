/**
 * Numbers that the host gives a training step anew in every iteration: which images, latents, keys of
 * random numbers, Adam's rate. An engine that records a step and replays it asks for them again each time;
 * all else that a step uses must then be the same in every iteration.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';

export type FeedValues = Float32Array | Int32Array;

/** Makes the tensor of a feed while a step is recorded. */
export type FeedRecorder = (shape: readonly number[], values: () => FeedValues) => tf.Tensor;

let recorder: FeedRecorder | undefined;

/**
 * A tensor of numbers from the host, float32 or int32 as the array is.
 * @param values called once for each time that the step is taken, in the order of the feeds in it; it may
 * count steps.
 */
export function feed(shape: readonly number[], values: () => FeedValues): tf.Tensor {
  return recorder ? recorder(shape, values) : feedTensor(shape, values());
}

export function feedTensor(shape: readonly number[], values: FeedValues): tf.Tensor {
  return tf.tensor(values, [...shape], values instanceof Int32Array ? 'int32' : 'float32');
}

/** Calls `run` with feeds made by `record`. */
export function withFeedRecorder<Result>(record: FeedRecorder, run: () => Result): Result {
  recorder = record;
  try {
    return run();
  } finally {
    recorder = undefined;
  }
}
