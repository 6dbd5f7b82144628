/**
 * The wasm memory that the steps of one generator hold: kernels, tables by channel, and one scratch.
 *
 * @module
 */
import type { Room } from '../../generator-file/weights.ts';
import type { WasmHost } from './host.ts';
import {
  type IntegerKernel,
  type Matrices,
  packedLength,
  packedPairsLength,
  packPairs,
  packPanels,
} from './pack.ts';

/** Addresses are in bytes; what is placed stays until `dispose`. */
export type StepMemory = ReturnType<typeof createStepMemory>;

/** @param host whose memory it takes from */
export function createStepMemory(host: Omit<WasmHost, 'tensors'>) {
  const { memory } = host;
  const held: number[] = [];
  // One scratch for all steps, for only one runs at a time.
  let scratch = { address: 0, bytes: 0 };

  function allocate(bytes: number): number {
    const address = host.malloc(bytes);
    if (address === 0) throw new Error(`no wasm memory left for ${bytes} bytes`);
    return address;
  }

  function reserve(bytes: number): number {
    const address = allocate(bytes);
    held.push(address);
    return address;
  }

  /** Where numbers lie in the memory; a copy of them, unless `room` has put them there. */
  function place(values: Float32Array | Uint16Array | Int8Array): number {
    if (values.buffer === memory.buffer) return values.byteOffset;
    const address = reserve(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(memory.buffer, address).set(bytes);
    return address;
  }

  /** @param write fills the numbers, which lie in the memory. */
  function placeNumbers(length: number, write: (numbers: Float32Array) => void): number {
    const address = reserve(4 * length);
    write(new Float32Array(memory.buffer, address, length));
    return address;
  }

  /** Numbers by channel, repeated up to `length`, then zeros up to whole panels; zeros alone without values. */
  const placeTable = (values: Float32Array | undefined, length: number): number =>
    placeNumbers(Math.ceil(length / 8) * 8, (padded) => {
      padded.fill(0);
      if (values) for (let i = 0; i < length; i++) padded[i] = values[i % values.length]!;
    });

  return {
    place,
    placeNumbers,
    placeTable,

    /** A float32 kernel, packed. */
    placePanels: (kernel: Float32Array, matrices: Matrices, width?: number): number =>
      placeNumbers(packedLength(matrices, width), (packed) =>
        packPanels(kernel, matrices, packed, width),
      ),

    /** An integer kernel, packed, and what a step of each output channel is worth. */
    placePairs(kernel: IntegerKernel, matrices: Matrices, channels: number, width?: number) {
      const length = packedPairsLength(matrices, channels, width);
      const packed = reserve(2 * length);
      const pairs = new Int16Array(memory.buffer, packed, length);
      packPairs(kernel.values, matrices, channels, pairs, width);
      return { packed, scales: placeTable(kernel.scales, kernel.scales.length) };
    },

    /** Room for numbers that the caller writes. */
    room(bytes: number): Room {
      const address = reserve(bytes);
      return {
        address,
        get buffer() {
          return memory.buffer;
        },
      };
    },

    /** Makes the scratch at least so long; its address may change. */
    reserveScratch(bytes: number): void {
      if (bytes <= scratch.bytes) return;
      if (scratch.address !== 0) host.free(scratch.address);
      scratch = { address: 0, bytes: 0 };
      scratch = { address: allocate(bytes), bytes };
    },

    /** Where the scratch lies now. */
    scratch: () => scratch.address,

    /** The numbers at an address, as long as the memory does not grow. */
    numbers: (address: number, length: number) => new Float32Array(memory.buffer, address, length),

    copy(to: number, from: number, bytes: number): void {
      new Uint8Array(memory.buffer).copyWithin(to, from, from + bytes);
    },

    dispose(): void {
      for (const address of held.splice(0)) host.free(address);
      if (scratch.address !== 0) host.free(scratch.address);
      scratch = { address: 0, bytes: 0 };
    },
  };
}
