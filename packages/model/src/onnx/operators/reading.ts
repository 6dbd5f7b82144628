/**
 * What ONNX nodes are read with, and what several operators share.
 *
 * @module
 */
import type { Layer } from '../../networks/layers.ts';
import type { NetworkBuilder, Output } from '../../networks/network-builder.ts';
import type { Constant, OnnxNode } from '../model.ts';
import { isTensor, type Tensor, type Value } from '../values.ts';

/** What a node is read with. */
export interface Reading {
  builder: NetworkBuilder;
  node: OnnxNode;
  /** Undefined where one is omitted. */
  inputs: readonly (Value | undefined)[];
  /** Images that the file was made for. */
  batch: number;
  opset: number;
}

/** Reads one node. @throws Error saying what about it is not accepted. */
export type Operator = (reading: Reading) => Value;

/** By the name of the operator. */
export type Operators = Readonly<Record<string, Operator | undefined>>;

export const tensorAt = ({ inputs }: Reading, i: number): Tensor => {
  const value = inputs[i];
  if (value && isTensor(value)) return value;
  throw new Error(`input ${i + 1} does not depend on the latent`);
};

export const constantAt = ({ inputs }: Reading, i: number): Constant | undefined => {
  const value = inputs[i];
  if (value && isTensor(value)) throw new Error(`input ${i + 1} is not constant`);
  return value;
};

export const numbersAt = (reading: Reading, i: number): Float32Array | undefined => {
  const constant = constantAt(reading, i);
  return constant && Float32Array.from(constant.values);
};

export const required = (reading: Reading, i: number): Constant => {
  const constant = constantAt(reading, i);
  if (!constant) throw new Error(`input ${i + 1} is omitted`);
  return constant;
};

export const integer = ({ node }: Reading, name: string, otherwise: number): number =>
  node.attributes.get(name)?.i ?? otherwise;

export const float = ({ node }: Reading, name: string, otherwise: number): number =>
  node.attributes.get(name)?.f ?? otherwise;

export const text = ({ node }: Reading, name: string, otherwise: string): string =>
  node.attributes.get(name)?.text || otherwise;

export const integers = ({ node }: Reading, name: string): readonly number[] =>
  node.attributes.get(name)?.ints ?? [];

/** An operator that leaves the shape as it is. */
export const same =
  (layerOf: (reading: Reading) => Layer): Operator =>
  (reading) => {
    const { output, dims } = tensorAt(reading, 0);
    return { output: reading.builder.add(layerOf(reading), output), dims };
  };

export const channelsOf = ({ dims }: Tensor): number => dims[0] ?? 1;

/** A tensor of an image that is channels last already. */
export function imageOf(output: Output): Tensor {
  const [height, width, channels] = output.shape as [number, number, number];
  return { output, dims: [channels, height, width] };
}

export function accept(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(`${otherwise} is not known here`);
}
