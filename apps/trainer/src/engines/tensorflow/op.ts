/**
 * Carrying out a TensorFlow operation by name, on the tensors of tfjs's `tensorflow` backend.
 *
 * The names, attributes and outputs of an operation are those of TensorFlow's C++ library
 * (https://www.tensorflow.org/api_docs/python/tf/raw_ops).
 *
 * @module
 */

import { type KernelBackend, Tensor } from '@tensorflow/tfjs-core';

/** A tensor of TensorFlow that tfjs knows nothing of, so no tidy disposes of it. */
export interface NativeTensor {
  id: number;
  shape: number[];
  dtype: number;
}

interface Binding {
  readonly TF_Version: string;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  executeOp(name: string, attrs: NativeAttr[], inputs: number[], outputs: number): NativeTensor[];
  deleteTensor(id: number): void;
}

/** The part of tfjs-node 4.22's backend class that is used here; its own types do not say as much. */
export interface TensorflowBackend extends KernelBackend {
  readonly binding: Binding;
  readonly isUsingGpuDevice: boolean;
  executeMultipleOutputs(
    name: string,
    attrs: NativeAttr[],
    inputs: Tensor[],
    outputs: number,
  ): Tensor[];
  getInputTensorIds(tensors: Tensor[]): number[];
  createOutputTensor(native: NativeTensor): Tensor;
}

interface NativeAttr {
  name: string;
  type: number;
  value: unknown;
}

/** TensorFlow's numbers for its types (`tensorflow/core/framework/types.proto`). */
export const DType = { float: 1, int32: 3, bool: 10, uint16: 17 } as const;

export type Attr =
  | { type: (typeof DType)[keyof typeof DType] }
  | { float: number }
  | { int: number | readonly number[] }
  | { bool: boolean }
  | { string: string }
  | { shape: readonly number[] };

export interface Op {
  name: string;
  attrs?: Record<string, Attr>;
  outputs?: number;
}

/**
 * Carries out one operation. The tensors that come back belong to the caller (or to the tidy
 * around it).
 */
export function execute(backend: TensorflowBackend, op: Op, inputs: Tensor[]): Tensor[] {
  const { name, attrs = {}, outputs = 1 } = op;
  return backend.executeMultipleOutputs(name, nativeAttrs(backend.binding, attrs), inputs, outputs);
}

/** Like {@link execute}, for an operation with one output. */
export function executeOne(backend: TensorflowBackend, op: Op, inputs: Tensor[]): Tensor {
  return execute(backend, op, inputs)[0] as Tensor;
}

/**
 * Like {@link executeOne}, but the tensor that comes back is TensorFlow's only, so its type may be one
 * that tfjs lacks. Hand it to {@link adopt} or {@link release}.
 */
export function executeNative(
  backend: TensorflowBackend,
  { name, attrs = {} }: Op,
  inputs: (Tensor | NativeTensor)[],
): NativeTensor {
  const { binding } = backend;
  const ids = inputs.map((input) =>
    input instanceof Tensor ? (backend.getInputTensorIds([input])[0] as number) : input.id,
  );
  return binding.executeOp(name, nativeAttrs(binding, attrs), ids, 1)[0] as NativeTensor;
}

/** Makes a native tensor one of tfjs's, of a type that it has. */
export function adopt(backend: TensorflowBackend, native: NativeTensor): Tensor {
  return backend.createOutputTensor(native);
}

export function release(backend: TensorflowBackend, ...natives: NativeTensor[]): void {
  for (const { id } of natives) backend.binding.deleteTensor(id);
}

function nativeAttrs(binding: Binding, attrs: Record<string, Attr>): NativeAttr[] {
  return Object.entries(attrs).map(([name, attr]) => ({ name, ...nativeAttr(binding, attr) }));
}

function nativeAttr(binding: Binding, attr: Attr): { type: number; value: unknown } {
  if ('type' in attr) return { type: binding.TF_ATTR_TYPE, value: attr.type };
  if ('float' in attr) return { type: binding.TF_ATTR_FLOAT, value: attr.float };
  if ('int' in attr) return { type: binding.TF_ATTR_INT, value: attr.int };
  if ('bool' in attr) return { type: binding.TF_ATTR_BOOL, value: attr.bool };
  if ('string' in attr) return { type: binding.TF_ATTR_STRING, value: attr.string };
  return { type: binding.TF_ATTR_SHAPE, value: attr.shape };
}
