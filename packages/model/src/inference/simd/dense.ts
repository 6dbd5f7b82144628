/**
 * Dense layers, straight from their stored encoding.
 *
 * @module
 */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { HostWeight } from '../../generator-file/weights.ts';
import { unitScales } from '../dense.ts';
import type { DenseOp } from '../graph.ts';
import type { Step } from '../step.ts';
import type { LatentStep } from '../steps.ts';
import { addressOf, type Context, finisher, outputOf } from './context.ts';

/** Numbered as in assembly/dense.ts. */
const ENCODING_CODES = { float32: 0, float16: 1, int8: 2 } as const;

/** A Dense layer on latents. */
export function denseOnLatents(context: Context, op: DenseOp): LatentStep {
  const run = dense(context, op);
  const inputs = op.kernel.shape[0]!;
  return (latents, count) =>
    run(count, (n, scratch) => {
      const latent = latents.subarray(n * inputs, (n + 1) * inputs);
      context.memory.numbers(scratch, inputs).set(latent);
      return scratch;
    });
}

/** A Dense layer on all numbers of each image. */
export function denseOnImages(context: Context, op: DenseOp): Step {
  const run = dense(context, op);
  const bytes = 4 * op.kernel.shape[0]!;
  return (x) => run(x.shape[0], (n) => addressOf(context, x) + n * bytes);
}

/** @returns the layer; `load` says where in the memory the numbers of an input lie, in the scratch or elsewhere. */
function dense(context: Context, op: DenseOp) {
  const { loops, memory } = context;
  const inputs = op.kernel.shape[0]!;
  const units = op.bias.length;
  const kernel = memory.place(inFours(op.kernel).values);
  const padded = Math.ceil(units / 4) * 4;
  const given = unitScales(op.kernel, op.scale);
  const scales = memory.placeNumbers(padded, (numbers) => {
    numbers.fill(1);
    if (given) numbers.set(given);
  });
  const finish = finisher(context, op.finish, op.bias);
  const values = [ENCODING_CODES[op.kernel.encoding], scales, ...finish.values] as const;
  memory.reserveScratch(4 * (inputs + padded));
  return (count: number, load: (n: number, scratch: number) => number): Tensor4D => {
    const y = outputOf(context, [count, 1, 1, units]);
    for (let n = 0; n < count; n++) {
      const x = load(n, memory.scratch);
      const sums = memory.scratch + 4 * inputs;
      loops.dense(x, inputs, kernel, ...values, sums, padded);
      memory.copy(addressOf(context, y) + 4 * n * units, sums, 4 * units);
    }
    return finish.complete(y);
  };
}

/** The same kernel with its units filled up to a multiple of four, as the loop takes them. */
function inFours(kernel: HostWeight): HostWeight {
  const [inputs, units] = kernel.shape as [number, number];
  const padded = Math.ceil(units / 4) * 4;
  if (padded === units) return kernel;
  const widen = <T extends Float32Array | Uint16Array | Int8Array>(from: T, to: T): T => {
    for (let i = 0; i < inputs; i++) to.set(from.subarray(i * units, (i + 1) * units), i * padded);
    return to;
  };
  const shape = [inputs, padded];
  switch (kernel.encoding) {
    case 'float32':
      return { ...kernel, shape, values: widen(kernel.values, new Float32Array(inputs * padded)) };
    case 'float16':
      return { ...kernel, shape, values: widen(kernel.values, new Uint16Array(inputs * padded)) };
    case 'int8':
      return { ...kernel, shape, values: widen(kernel.values, new Int8Array(inputs * padded)) };
  }
}
