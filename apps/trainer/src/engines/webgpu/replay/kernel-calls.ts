/**
 * Which call of a tfjs kernel a dispatch is part of, and how many floating-point operations it takes.
 *
 * @module
 */
import { product } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';

export interface KernelCall {
  name: string;
  /** Multiplications and additions of matrix products and convolutions; 0 for all else, which memory bounds. */
  flops: number;
}

type RunKernel = (
  name: string,
  inputs: tf.NamedTensorMap,
  attrs?: tf.NamedAttrMap,
) => tf.Tensor | tf.Tensor[];
type Shapes = Record<string, readonly number[]>;

/** A multiplication and an addition. */
const PAIR = 2;
/** Taps of a 3×3 convolution of an image upsampled by 2, whose equal pixels are taken together (phases.ts). */
const PHASE_TAPS = 4;

/** @param of the shapes of a call's inputs. */
const FLOPS: Record<
  string,
  (of: Shapes, attrs: tf.NamedAttrMap, output: readonly number[]) => number
> = {
  Conv2D: ({ filter }, _, y) => PAIR * product(y) * product(filter!.slice(0, 3)),
  Conv2DBackpropInput: ({ dy, filter }) => PAIR * product(dy!) * product(filter!.slice(0, 3)),
  Conv2DBackpropFilter: ({ dy }, _, filter) => PAIR * product(dy!) * product(filter.slice(0, 3)),
  UpsampleConv2D: ({ filter }, _, y) => PAIR * product(y) * PHASE_TAPS * filter![2]!,
  UpsampleConv2DGrad: ({ dy, filter }) => 2 * PAIR * product(dy!) * PHASE_TAPS * filter![2]!,
  BatchMatMul: ({ a }, { transposeA }, y) => PAIR * product(y) * a!.at(transposeA ? -2 : -1)!,
};

const stack: KernelCall[] = [];

/** The innermost call under way, of those inside {@link withKernelCalls}. */
export const currentCall = (): KernelCall | undefined => stack.at(-1);

/** Calls `run`, in which every call of a kernel is known while it is under way. */
export function withKernelCalls<Result>(run: () => Result): Result {
  const engine = tf.engine() as unknown as { runKernel: RunKernel };
  const { runKernel } = engine;
  engine.runKernel = (name, inputs, attrs) => {
    const call = { name, flops: 0 };
    stack.push(call);
    try {
      const result = runKernel.call(engine, name, inputs, attrs);
      call.flops = flopsOf(name, inputs, { attrs: attrs ?? {}, result });
      return result;
    } finally {
      stack.pop();
    }
  };
  try {
    return run();
  } finally {
    engine.runKernel = runKernel;
  }
}

function flopsOf(
  name: string,
  inputs: tf.NamedTensorMap,
  { attrs, result }: { attrs: tf.NamedAttrMap; result: tf.Tensor | tf.Tensor[] },
): number {
  const [output] = [result].flat();
  const shapes = Object.entries(inputs).flatMap(([key, tensor]) =>
    tensor ? [[key, tensor.shape] as const] : [],
  );
  return FLOPS[name]?.(Object.fromEntries(shapes), attrs, output!.shape) ?? 0;
}
