/**
 * The `webgpu` engine: tfjs's WebGPU backend on the GPU of this machine, under Deno.
 *
 * @module
 */
import { UserError } from '@killme/model';
// For its gradients: tfjs-core alone registers none under Node and Deno.
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { inDeno } from '../deno.ts';
import type { Engine } from '../engine.ts';
import { registerReplay } from '../replay.ts';
import { offerResidentImages } from '../resident-images.ts';
import { findWebgpu } from './adapter.ts';
import { watchFailures } from './failures.ts';
import { registerWebgpuKernels } from './kernels.ts';
import type { WebGPUBackend } from './program.ts';
import { orderSplitProducts } from './split-product.ts';

/**
 * Makes `webgpu` the current backend and gives it the training kernels.
 *
 * @throws UserError where there is no adapter, or the runtime has no WebGPU.
 */
export async function startWebgpu(): Promise<Engine> {
  if (!inDeno) throw new UserError('WebGPU is in Deno, not in Node: start the trainer by Deno');
  const found = await findWebgpu();
  if (!found.available) {
    throw new UserError(`WebGPU is not available: ${found.reason}. Mend it: ${found.remedy}`);
  }
  mendRequestDevice();
  await import('@tensorflow/tfjs-backend-webgpu');
  // The naive way computes the gradient of a convolution's input without any tiling.
  tf.env().set('WEBGPU_USE_NAIVE_CONV2D_TRANSPOSE', false);
  // Small operations would go to tfjs's cpu backend, whose results then have to be uploaded.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  await tf.setBackend('webgpu');
  const backend = tf.backend() as WebGPUBackend;
  const failures = watchFailures(backend, found);
  registerWebgpuKernels();
  orderSplitProducts(backend);
  const { maxStorageBufferBindingSize, maxBufferSize } = backend.device.limits;
  offerResidentImages('webgpu', Math.min(maxStorageBufferBindingSize, maxBufferSize));
  const { createWebgpuReplay } = await import('./replay/replay.ts'); // needs Deno's WebGPU
  registerReplay('webgpu', (log) => createWebgpuReplay(backend, failures, log));
  const device = found.software ? `${found.device}, which is no GPU` : found.device;
  return { name: 'webgpu', device, gpu: !found.software };
}

/** Tensors of weights that a shader takes at once, each with its gradient and moments, need as many; WebGPU promises 8. */
const STORAGE_BUFFERS = 128;

/**
 * tfjs 4.22 asks for the features ['timestamp-query', ['bgra8unorm-storage']]; browsers turn the
 * inner list into a string, Deno refuses it. It does not ask for more storage buffers than WebGPU promises.
 */
export function mendRequestDevice(): void {
  const { prototype } = GPUAdapter;
  const { requestDevice } = prototype;
  prototype.requestDevice = function (this: GPUAdapter, descriptor: GPUDeviceDescriptor = {}) {
    const requiredFeatures = [...(descriptor.requiredFeatures ?? [])].flat() as GPUFeatureName[];
    const { maxStorageBuffersPerShaderStage: most } = this.limits;
    const requiredLimits = {
      ...descriptor.requiredLimits,
      maxStorageBuffersPerShaderStage: Math.min(most, STORAGE_BUFFERS),
    };
    return requestDevice.call(this, { ...descriptor, requiredFeatures, requiredLimits });
  };
}
