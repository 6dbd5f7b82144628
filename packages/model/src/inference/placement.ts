/**
 * Operations that move pixels, and those that make one image of several, by tfjs.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { interleavePhases } from '../networks/phases.ts';
import type { CombinationOp, PlacementOp } from './graph.ts';
import { resizeMatrix } from './resize.ts';
import type { Keep, Step } from './step.ts';

export function placement(op: PlacementOp, keep: Keep): Step {
  switch (op.type) {
    case 'upsample':
      return (x) => interleavePhases([x, x, x, x]);
    case 'pad':
      return pad(op);
    case 'resize':
      return resize(op, keep);
    case 'permute': {
      const axes = [0, ...op.axes.map((axis) => axis + 1)];
      const { input } = op;
      return (x) => {
        const [batch] = x.shape;
        const moved = tf.transpose(tf.reshape(x, [batch, ...input]), axes);
        const shape = [
          ...Array.from({ length: 3 - input.length }, () => 1),
          ...moved.shape.slice(1),
        ];
        return tf.reshape(moved, [batch, ...(shape as [number, number, number])]);
      };
    }
    case 'slice':
      return (x) => tf.slice(x, [0, 0, 0, op.start], [-1, -1, -1, op.size]);
  }
}

function pad({ border }: Extract<PlacementOp, { type: 'pad' }>): Step {
  const { top, bottom, left, right } = border;
  const zeros = (side: number) => Math.max(0, side);
  const cut = (side: number) => Math.max(0, -side);
  return (x) => {
    const [batch, height, width, channels] = x.shape;
    const inner = tf.slice(
      x,
      [0, cut(top), cut(left), 0],
      [batch, height - cut(top) - cut(bottom), width - cut(left) - cut(right), channels],
    );
    return tf.pad(inner, [
      [0, 0],
      [zeros(top), zeros(bottom)],
      [zeros(left), zeros(right)],
      [0, 0],
    ]);
  };
}

/** Any interpolation is a sum of rows, then of columns: two matrix products. */
function resize(
  { input, output, method, coordinates }: Extract<PlacementOp, { type: 'resize' }>,
  keep: Keep,
): Step {
  const [height, width, channels] = input;
  const matrix = (axis: 0 | 1) => {
    const sizes = { from: input[axis], to: output[axis] };
    return keep(
      tf.tensor2d(resizeMatrix({ ...sizes, method, coordinates }), [sizes.to, sizes.from]),
    );
  };
  const [rows, columns] = [matrix(0), matrix(1)];
  return (x) => {
    const images = tf.unstack(x).map((image) => {
      const tall = tf.matMul(rows, tf.reshape(image, [height, width * channels]));
      const byColumn = tf.transpose(tf.reshape(tall, [output[0], width, channels]), [1, 0, 2]);
      const wide = tf.matMul(columns, tf.reshape(byColumn, [width, output[0] * channels]));
      return tf.transpose(tf.reshape(wide, [output[1], output[0], channels]), [1, 0, 2]);
    });
    return tf.stack(images) as tf.Tensor4D;
  };
}

export function combination(op: CombinationOp): Step {
  const each =
    (combine: (a: tf.Tensor4D, b: tf.Tensor4D) => tf.Tensor4D): Step =>
    (x, ...others) =>
      others.reduce(combine, x);
  switch (op.type) {
    case 'add':
      return each((a, b) => tf.add(a, b));
    case 'subtract':
      return each((a, b) => tf.sub(a, b));
    case 'multiply':
      return each((a, b) => tf.mul(a, b));
    case 'average':
      return (x, ...others) =>
        tf.mul(
          others.reduce<tf.Tensor4D>((a, b) => tf.add(a, b), x),
          1 / (1 + others.length),
        );
    case 'maximum':
      return each((a, b) => tf.maximum(a, b));
    case 'minimum':
      return each((a, b) => tf.minimum(a, b));
    case 'concatenate':
      return (x, ...others) => tf.concat([x, ...others], 3);
  }
}
