import * as tf from '@tensorflow/tfjs-core';

/**
 * Lets the gradients of relu and leakyRelu be the backend's kernel `ActivationGrad` (dy where x > 0,
 * elsewhere dy · slope): one pass instead of three. Gradients hold for all backends in tfjs, so on
 * another one the plain way goes on.
 */
export function registerActivationGradients(backendName: string): void {
  replaceGradient(backendName, 'Relu', () => 0);
  replaceGradient(backendName, 'LeakyRelu', ({ alpha }) => alpha as number);
}

function replaceGradient(
  backendName: string,
  kernelName: string,
  slope: (attrs: tf.NamedAttrMap) => number,
): void {
  const plain = tf.getGradient(kernelName);
  tf.unregisterGradient(kernelName);
  tf.registerGradient({
    ...plain,
    inputsToSave: ['x'],
    outputsToSave: [],
    gradFunc: (dy, saved, attrs) => {
      const x = saved[0]!;
      const run = (): tf.Tensor =>
        tf
          .engine()
          .runKernel('ActivationGrad', { dy: dy as tf.Tensor, x }, { slope: slope(attrs) });
      if (tf.getBackend() === backendName) return { x: run };
      const inputs = kernelName === 'Relu' && plain.outputsToSave?.[0] ? [tf.relu(x)] : saved;
      return plain.gradFunc(dy, inputs, attrs);
    },
  });
}
