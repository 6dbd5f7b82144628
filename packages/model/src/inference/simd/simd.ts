/**
 * The operations of the inference graph on tfjs's wasm backend, by loops of our own (`kernels.wasm`)
 * that work in its memory: the Dense layer straight from its stored encoding, convolutions with
 * their activation, and upsampled convolutions with nine products for four outputs. Whatever else a
 * generator has, tfjs's own kernels do.
 *
 * What a step keeps is in wasm's memory: it must not hold on to its operation, whose numbers would
 * then be there twice.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Keep } from '../step.ts';
import { type StepMaker, stepOf } from '../steps.ts';
import type { Context } from './context.ts';
import { convolve } from './convolve.ts';
import { denseOnImages, denseOnLatents } from './dense.ts';
import type { Loops, WasmHost } from './host.ts';
import { StepMemory } from './memory.ts';
import { upsampleConvolve } from './upsample-convolve.ts';

export type { Loops, WasmHost } from './host.ts';

/**
 * Makes the steps of one generator.
 * @param loops an instance over the host's memory
 */
export function simdSteps(loops: Loops, host: WasmHost): StepMaker {
  const kept: tf.Tensor[] = [];
  const keep: Keep = (tensor) => {
    kept.push(tensor);
    return tensor;
  };
  const memory = new StepMemory(host);
  const context: Context = { loops, tensors: host.tensors, memory, keep };
  return {
    kernelRoom: (bytes) => memory.room(bytes),
    dense: (op) => denseOnLatents(context, op),
    step(op) {
      if (op.type === 'dense') return denseOnImages(context, op);
      if (op.type !== 'convolution') return stepOf(op, keep);
      return op.kind === 'upsampled' ? upsampleConvolve(context, op) : convolve(context, op);
    },
    dispose() {
      tf.dispose(kept);
      memory.dispose();
    },
  };
}
