/**
 * The operations of the inference graph as tfjs's own, for whatever backend is current.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { decodeWeight, type Room } from '../generator-file/weights.ts';
import { interleave, phaseKernels, phasePadding } from '../networks/phases.ts';
import { type Sides, transposedPhases } from '../networks/transposed.ts';
import { denseOnHost } from './dense.ts';
import type { ConvolutionOp, DenseOp, DepthwiseOp, Finish, Op } from './graph.ts';
import { combination, placement } from './placement.ts';
import { ACTIVATIONS, affine, normalization, pointwise } from './pointwise.ts';
import type { Keep, Step } from './step.ts';

/** Latents `[count, inputs]`, flat, to `[count, 1, 1, units]`. */
export type LatentStep = (latents: Float32Array, count: number) => tf.Tensor4D;

/** Makes steps of operations for one backend. */
export interface StepMaker {
  /** A Dense layer on the latents. */
  dense(op: DenseOp): LatentStep;
  step(op: Op): Step;
  /** Room for the kernel of the first Dense layer, where `dense` takes it as it lies; an array's copy if none. */
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
      const units = op.bias.length;
      return (latents, count) =>
        finish(tf.tensor4d(denseOnHost({ ...op, latents, count }), [count, 1, 1, units]));
    },
    step: (op) => stepOf(op, keep),
    dispose: () => tf.dispose(kept),
  };
}

/** What a backend without a loop of its own for an operation does instead. */
export function stepOf(op: Op, keep: Keep): Step {
  switch (op.type) {
    case 'dense':
      return dense(op, keep);
    case 'convolution':
      return convolution(op, keep);
    case 'depthwise':
      return depthwise(op, keep);
    case 'groupNormalization':
    case 'layerNormalization':
      return normalization(op);
    case 'upsample':
    case 'pad':
    case 'resize':
    case 'permute':
    case 'slice':
      return placement(op, keep);
    case 'add':
    case 'subtract':
    case 'multiply':
    case 'average':
    case 'maximum':
    case 'minimum':
    case 'concatenate':
      return combination(op);
    default:
      return pointwise(op, keep);
  }
}

function finisher({ activation, after }: Finish, keep: Keep): Step {
  const activate: Step = activation ? ACTIVATIONS[activation] : (x) => x;
  const add: Step = after ? affine({ scale: undefined, shift: after }, keep) : (x) => x;
  return (x) => add(activate(x));
}

function dense(op: DenseOp, keep: Keep): Step {
  const [inputs, units] = op.kernel.shape as [number, number];
  const kernel = keep(tf.tensor2d(decodeWeight(op.kernel), [inputs, units]));
  const shift = affine({ scale: op.scale, shift: op.bias }, keep);
  const finish = finisher(op.finish, keep);
  return (x) => {
    const sums = tf.matMul(tf.reshape(x, [x.shape[0], inputs]), kernel);
    return finish(shift(tf.reshape(sums, [x.shape[0], 1, 1, units])));
  };
}

const explicit = ({ top, bottom, left, right }: Sides): tf.backend_util.ExplicitPadding => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

function depthwise({ kernel, kernelShape, bias, strides, border }: DepthwiseOp, keep: Keep): Step {
  const filter = keep(tf.tensor4d(kernel, [...kernelShape]));
  const shift = affine({ scale: undefined, shift: bias }, keep);
  return (x) => {
    const padded = tf.pad(x, explicit(border));
    return shift(tf.depthwiseConv2d(padded, filter, [...strides], 'valid'));
  };
}

function convolution(op: ConvolutionOp, keep: Keep): Step {
  const finish = finisher(op.finish, keep);
  const bias = keep(tf.tensor1d(op.bias));
  const filterOf = (kernel: Float32Array, shape: ConvolutionOp['kernelShape']) =>
    keep(tf.tensor4d(kernel, [...shape]));
  const convolve = (
    x: tf.Tensor4D,
    filter: tf.Tensor4D,
    pad: tf.backend_util.ExplicitPadding,
    strides: ConvolutionOp['strides'] = [1, 1],
  ) => tf.fused.conv2d({ x, filter, strides: [...strides], pad, bias });
  switch (op.kind) {
    case 'plain': {
      const filter = filterOf(op.kernel(), op.kernelShape);
      const { border, strides } = op;
      return (x) => finish(convolve(x, filter, explicit(border), strides));
    }
    case 'upsampled': {
      const filter = tf.tensor4d(op.kernel(), [...op.kernelShape]);
      const phases = phaseKernels(filter).map(keep);
      filter.dispose();
      return (x) =>
        finish(
          interleave(
            phases.map((phase, i) => convolve(x, phase, phasePadding(i))),
            [2, 2],
          ),
        );
    }
    case 'transposed':
      return transposed(op, { filterOf, convolve, finish });
  }
}

/** All phases as large as the first one, put in their places; what is beyond the output is cut off. */
function transposed(
  { kernel, kernelShape, strides, border, input, output }: ConvolutionOp,
  {
    filterOf,
    convolve,
    finish,
  }: {
    filterOf: (kernel: Float32Array, shape: ConvolutionOp['kernelShape']) => tf.Tensor4D;
    convolve: (
      x: tf.Tensor4D,
      filter: tf.Tensor4D,
      pad: tf.backend_util.ExplicitPadding,
    ) => tf.Tensor4D;
    finish: Step;
  },
): Step {
  const cropped = [border.top, border.left] as const;
  const [height, width] = input;
  const phases = transposedPhases({
    ...{ kernel: kernel(), kernelShape, strides, cropped, input, output },
  });
  const [rows, columns] = phases[0]!.size;
  const made = phases.map(({ kernel: numbers, kernelShape: shape, padding, size }) => {
    const bottom = padding.bottom + rows - size[0];
    const right = padding.right + columns - size[1];
    const filter = filterOf(numbers, shape);
    return { filter, padding: { ...padding, bottom, right } };
  });
  return (x) => {
    const outputs = made.map(({ filter, padding: { top, bottom, left, right } }) => {
      // A border less than nothing: pixels that the phase does not see.
      const read = tf.slice(
        x,
        [0, Math.max(0, -top), Math.max(0, -left), 0],
        [
          x.shape[0],
          height - Math.max(0, -top) - Math.max(0, -bottom),
          width - Math.max(0, -left) - Math.max(0, -right),
          x.shape[3],
        ],
      );
      const zeros = [top, bottom, left, right].map((side) => Math.max(0, side));
      const [above, below, before, after] = zeros as [number, number, number, number];
      return convolve(
        read,
        filter,
        explicit({ top: above, bottom: below, left: before, right: after }),
      );
    });
    const whole = interleave(outputs, strides);
    return finish(tf.slice(whole, [0, 0, 0, 0], [whole.shape[0], ...output]));
  };
}
