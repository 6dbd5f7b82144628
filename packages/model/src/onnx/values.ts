/**
 * What flows between the nodes of an ONNX graph.
 *
 * @module
 */
import type { NetworkBuilder, Output } from '../networks/network-builder.ts';
import type { Constant } from './model.ts';

/**
 * A tensor that depends on the latent. `dims` are ONNX's without the batch axis; of three axes
 * `[channels, height, width]` the output has them as `[height, width, channels]`, of others as they are.
 */
export interface Tensor {
  output: Output;
  dims: readonly number[];
}

export type Value = Tensor | Constant;

export const isTensor = (value: Value): value is Tensor => 'output' in value;

/** Where ONNX's axes are in an image. */
const STORED_AXES: readonly number[] = [1, 2, 0];

/** Numbers in ONNX's order as a tensor. */
export function toLayout(builder: NetworkBuilder, output: Output, dims: readonly number[]): Tensor {
  const shaped = builder.reshape(output, dims);
  if (dims.length !== 3) return { output: shaped, dims };
  const [channels, height, width] = dims as [number, number, number];
  if (height * width === 1 || channels === 1) {
    return { output: builder.reshape(shaped, [height, width, channels]), dims };
  }
  return { output: builder.add({ type: 'permute', axes: STORED_AXES }, shaped), dims };
}

/** A tensor's numbers in ONNX's order. */
export function fromLayout(builder: NetworkBuilder, { output, dims }: Tensor): Output {
  if (dims.length !== 3) return output;
  const [channels, height, width] = dims as [number, number, number];
  if (height * width === 1 || channels === 1) return builder.reshape(output, dims);
  return builder.add({ type: 'permute', axes: [2, 0, 1] }, output);
}

/** ONNX's Transpose. @param perm without the batch axis, from 0 */
export function transpose(
  builder: NetworkBuilder,
  { output, dims }: Tensor,
  perm: readonly number[],
): Tensor {
  const moved = perm.map((axis) => dims[axis]!);
  if (dims.length !== 3) {
    return { output: builder.add({ type: 'permute', axes: perm }, output), dims: moved };
  }
  const axes = STORED_AXES.map((axis) => STORED_AXES.indexOf(perm[axis]!));
  return { output: builder.add({ type: 'permute', axes }, output), dims: moved };
}
