/**
 * tfjs's backends as they are: what one gets by importing the package and naming the backend.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs';
import { findDeno, inDeno } from '../engines/deno.ts';
import type { EngineName } from '../engines/engine.ts';
import { NeedsDeno } from '../engines/start.ts';

/**
 * Starts a backend without any kernel or setting of ours, but for what it cannot train without.
 * @returns its device, for people.
 */
export async function startPlainEngine(name: EngineName): Promise<string> {
  switch (name) {
    case 'tensorflow': {
      const { startTensorflow } = await import('../engines/tensorflow/tensorflow.ts');
      return (await startTensorflow({ kernels: false })).device;
    }
    case 'webgpu': {
      const deno = findDeno();
      if (!inDeno && deno) throw new NeedsDeno(deno);
      const { mendRequestDevice } = await import('../engines/webgpu/webgpu.ts');
      const { readAdapter } = await import('../engines/webgpu/adapter.ts');
      mendRequestDevice();
      await import('@tensorflow/tfjs-backend-webgpu');
      await tf.setBackend('webgpu');
      return (await readAdapter())?.device ?? 'WebGPU';
    }
    case 'wasm':
      await import('@tensorflow/tfjs-backend-wasm');
      await tf.setBackend('wasm');
      tf.registerKernel({
        kernelName: 'Conv2DBackpropFilter',
        backendName: 'wasm',
        kernelFunc: ({ inputs: { x, dy }, attrs }) =>
          // runKernel passes the tensors themselves on, typed as the infos that they extend.
          tf.tidy(() => filterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, attrs!)),
      });
      return 'CPU, 1 thread, WebAssembly SIMD';
  }
}

/**
 * The gradient of a convolution's filter, which tfjs's wasm backend lacks, from operations that it
 * has: for each tap of the kernel the pixels under it, as a matrix, times those of dy.
 */
function filterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, attrs: tf.NamedAttrMap): tf.Tensor {
  const filterShape = attrs.filterShape as [number, number, number, number];
  const info = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    attrs.strides as number,
    1,
    attrs.pad as 'same',
  );
  const { padInfo, strideHeight, strideWidth, outHeight, outWidth, outChannels } = info;
  const padded = tf.pad(x, [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ]);
  const [n, , , channels] = x.shape;
  const pixels = n * outHeight * outWidth;
  const dyMatrix = tf.reshape(dy, [pixels, outChannels]);
  const taps: tf.Tensor[] = [];
  for (let i = 0; i < info.filterHeight; i++) {
    for (let j = 0; j < info.filterWidth; j++) {
      const end = [
        n,
        i + (outHeight - 1) * strideHeight + 1,
        j + (outWidth - 1) * strideWidth + 1,
        channels,
      ];
      const tap = tf.tidy(() => {
        const under = tf.stridedSlice(padded, [0, i, j, 0], end, [1, strideHeight, strideWidth, 1]);
        return tf.matMul(tf.reshape(under, [pixels, channels]), dyMatrix, true, false);
      });
      taps.push(tap);
    }
  }
  return tf.reshape(tf.stack(taps), filterShape);
}
