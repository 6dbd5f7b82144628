import { product } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { adopt, DType, executeNative, executeOne, release, type TensorflowBackend } from './op.ts';

/**
 * The `DropoutMask` kernel: 0 with probability `rate`, else 1 / (1 − rate), sampled by TensorFlow's
 * stateless Philox generator, which the key seeds: equal keys give equal masks, on any number of
 * threads. Each of its 32-bit words serves two entries, so the rate is kept to 1/65536.
 */
export function sampleDropoutMask(
  backend: TensorflowBackend,
  { shape, rate, key }: { shape: number[]; rate: number; key: tf.Tensor1D },
): tf.Tensor {
  const size = product(shape);
  const words = sampleWords(backend, Math.ceil(size / 2), key);
  const kept = keepAtLeast(backend, words, Math.round(rate * 65536));
  const mask = tf.mul(tf.cast(kept, 'float32'), 1 / (1 - rate));
  return tf.reshape(tf.slice(tf.reshape(mask, [-1]), 0, size), shape);
}

/** `[count]` int32, every bit pattern equally likely. */
function sampleWords(backend: TensorflowBackend, count: number, key: tf.Tensor1D): tf.Tensor {
  const seed = tf.slice(key, 0, 2);
  const int32 = { type: DType.int32 };
  const kernel = {
    name: 'StatelessRandomUniformFullInt',
    attrs: { dtype: int32, T: int32, Tseed: int32 },
  };
  return executeOne(backend, kernel, [tf.tensor1d([count], 'int32'), seed]);
}

/** Reads each word as two uint16: whether they are `limit` or more, as bool `[count, 2]`. */
function keepAtLeast(backend: TensorflowBackend, words: tf.Tensor, limit: number): tf.Tensor {
  const int32 = { type: DType.int32 };
  const uint16 = { type: DType.uint16 };
  const halves = executeNative(backend, { name: 'Bitcast', attrs: { T: int32, type: uint16 } }, [
    words,
  ]);
  const least = executeNative(backend, { name: 'Cast', attrs: { SrcT: int32, DstT: uint16 } }, [
    tf.scalar(limit, 'int32'),
  ]);
  const kept = executeNative(backend, { name: 'GreaterEqual', attrs: { T: uint16 } }, [
    halves,
    least,
  ]);
  release(backend, halves, least);
  return adopt(backend, kept);
}
