/**
 * The operations of the inference graph as tfjs's own, for whatever backend is current.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Room } from '../generator-file/weights.ts';
import type { Activation } from '../networks/layers.ts';
import { interleavePhases, phaseKernels, phasePadding } from '../networks/phases.ts';
import { transposedPhases } from '../networks/transposed.ts';
import { denseOnHost } from './dense.ts';
import type { ConvolutionOp, DenseOp, Finish, ImageOp } from './graph.ts';

/** `[count, height, width, channels]` to the same. */
export type Step = (images: tf.Tensor4D) => tf.Tensor4D;

/** Makes steps of operations for one backend. */
export interface StepMaker {
  /** @returns a function of latents `[count, inputs]`, flat, that gives images. */
  dense(op: DenseOp): (latents: Float32Array, count: number) => tf.Tensor4D;
  step(op: ImageOp): Step;
  /** Room for the kernel of the Dense layer, where `dense` takes it as it lies; an array's copy if none. */
  kernelRoom?(bytes: number): Room;
  /** Frees what the steps keep. */
  dispose(): void;
}

/** Steps that tfjs's operations do; their tensors are kept until `dispose`. */
export function tfjsSteps(): StepMaker {
  const kept: tf.Tensor[] = [];
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    kept.push(tensor);
    return tensor;
  };
  return {
    dense: (op) => {
      const finish = finisher(op.finish, keep);
      return (latents, count) =>
        finish(tf.tensor4d(denseOnHost({ ...op, latents, count }), [count, ...op.output]));
    },
    step: (op) => stepOf(op, keep),
    dispose: () => tf.dispose(kept),
  };
}

/** Marks a tensor to be freed with the generator. */
type Keep = <T extends tf.Tensor>(tensor: T) => T;

/** What a backend without a loop of its own for an operation does instead. */
export function stepOf(op: ImageOp, keep: Keep): Step {
  switch (op.type) {
    case 'convolution':
      return convolution(op, keep);
    case 'activation':
      return ACTIVATIONS[op.activation];
    case 'leakyRelu':
      return (x) => tf.leakyRelu(x, op.alpha);
    case 'affine':
      return affine(op, keep);
    case 'upsample':
      return (x) => interleavePhases([x, x, x, x]);
  }
}

const ACTIVATIONS: Record<Activation, Step> = {
  relu: (x) => tf.relu(x),
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
};

function affine(
  { scale, shift }: { scale: Float32Array | undefined; shift: Float32Array },
  keep: Keep,
): Step {
  const [a, b] = [scale && keep(tf.tensor1d(scale)), keep(tf.tensor1d(shift))];
  return (x) => tf.add(a ? tf.mul(x, a) : x, b);
}

function finisher({ activation, after }: Finish, keep: Keep): Step {
  const activate: Step = activation ? ACTIVATIONS[activation] : (x) => x;
  const add: Step = after ? affine({ scale: undefined, shift: after }, keep) : (x) => x;
  return (x) => add(activate(x));
}

function convolution(op: ConvolutionOp, keep: Keep): Step {
  const finish = finisher(op.finish, keep);
  const bias = keep(tf.tensor1d(op.bias));
  const convolve = (
    x: tf.Tensor4D,
    filter: tf.Tensor4D,
    pad: 'same' | tf.backend_util.ExplicitPadding,
    strides = 1,
  ) => tf.fused.conv2d({ x, filter, strides, pad, bias });
  switch (op.kind) {
    case 'plain': {
      const filter = keep(tf.tensor4d(op.kernel(), op.kernelShape));
      return (x) => finish(convolve(x, filter, 'same', op.strides));
    }
    case 'upsampled': {
      const filter = tf.tensor4d(op.kernel(), op.kernelShape);
      const phases = phaseKernels(filter).map(keep);
      filter.dispose();
      return (x) =>
        finish(interleavePhases(phases.map((phase, i) => convolve(x, phase, phasePadding(i)))));
    }
    case 'transposed': {
      const phases = transposedPhases(op.kernel(), op.kernelShape, op.strides).map(
        ({ kernel, kernelShape, padding }) => ({
          filter: keep(tf.tensor4d(kernel, kernelShape)),
          padding,
        }),
      );
      return (x) => {
        const outputs = phases.map(({ filter, padding }) => convolve(x, filter, padding));
        return finish(outputs.length === 1 ? outputs[0]! : interleavePhases(outputs));
      };
    }
  }
}
