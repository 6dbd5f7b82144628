import * as tf from '@tensorflow/tfjs-core';
import { DType, executeOne, type Op, type TensorflowBackend } from './op.ts';

/**
 * Lets the gradients of relu and leakyRelu be TensorFlow's own operation, one pass over the data
 * instead of three. Gradients hold for all backends in tfjs, so on another one the plain way goes on.
 */
export function registerActivationGradients(): void {
  replaceGradient('Relu', () => ({ name: 'ReluGrad' }));
  replaceGradient('LeakyRelu', ({ alpha }) => ({
    name: 'LeakyReluGrad',
    attrs: { alpha: { float: alpha as number } },
  }));
}

/** @param nativeOp the operation that makes the gradient of x from (dy, x). */
function replaceGradient(kernelName: string, nativeOp: (attrs: tf.NamedAttrMap) => Op): void {
  const plain = tf.getGradient(kernelName);
  tf.unregisterGradient(kernelName);
  tf.registerGradient({
    ...plain,
    gradFunc: (dy, saved, attrs) => {
      if (tf.getBackend() !== 'tensorflow') return plain.gradFunc(dy, saved, attrs);
      const op = nativeOp(attrs);
      const typed = { ...op, attrs: { T: { type: DType.float }, ...op.attrs } };
      const inputs = [dy as tf.Tensor, saved[0] as tf.Tensor];
      return { x: () => executeOne(tf.backend() as TensorflowBackend, typed, inputs) };
    },
  });
}
