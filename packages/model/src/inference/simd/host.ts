/**
 * What the steps are given: tfjs's wasm backend and the loops of `kernels.wasm` over its memory.
 *
 * @module
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';

/** What is used of tfjs's wasm backend. */
export interface WasmTensors {
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  /** Where a tensor's numbers begin, in bytes. */
  getMemoryOffset(id: TensorInfo['dataId']): number;
}

/** tfjs's wasm backend and the memory that its tensors lie in. */
export interface WasmHost {
  tensors: WasmTensors;
  memory: { readonly buffer: ArrayBuffer };
  /** @returns an address, or 0 when there is no memory left. */
  malloc(bytes: number): number;
  free(address: number): void;
}

/** What `kernels.wasm` exports. */
export type Loops = Record<
  | 'pad'
  | 'padInteger'
  | 'convolve'
  | 'convolveInteger'
  | 'upsampleConvolve'
  | 'upsampleConvolveInteger'
  | 'dense',
  (...values: number[]) => void
> & { unitOf(x: number, count: number): number };

/** Pixels that a tile reads, and drops, behind the last one of a row. */
export const SLACK_PIXELS = 8;
