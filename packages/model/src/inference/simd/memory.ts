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
export class StepMemory {
  readonly #host: Pick<WasmHost, 'memory' | 'malloc' | 'free'>;
  readonly #held: number[] = [];
  // One for all steps, for only one runs at a time.
  #scratch = { address: 0, bytes: 0 };

  constructor(host: Pick<WasmHost, 'memory' | 'malloc' | 'free'>) {
    this.#host = host;
  }

  /** Where numbers lie in the memory; a copy of them, unless they lie there already, in a `room`. */
  place(values: Float32Array | Uint16Array | Int8Array): number {
    const { memory } = this.#host;
    if (values.buffer === memory.buffer) return values.byteOffset;
    const address = this.#reserve(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(memory.buffer, address).set(bytes);
    return address;
  }

  /** @param write fills the numbers, which lie in the memory. */
  placeNumbers(length: number, write: (numbers: Float32Array) => void): number {
    const address = this.#reserve(4 * length);
    write(this.numbers(address, length));
    return address;
  }

  /** Numbers by channel, repeated up to `length`, then zeros up to whole panels; zeros alone without values. */
  placeTable(values: Float32Array | undefined, length: number): number {
    return this.placeNumbers(Math.ceil(length / 8) * 8, (padded) => {
      padded.fill(0);
      if (values) for (let i = 0; i < length; i++) padded[i] = values[i % values.length]!;
    });
  }

  /** A float32 kernel, packed. */
  placePanels(kernel: Float32Array, matrices: Matrices, width?: number): number {
    return this.placeNumbers(packedLength(matrices, width), (packed) =>
      packPanels(kernel, matrices, packed, width),
    );
  }

  /** An integer kernel, packed, and what a step of each output channel is worth. */
  placePairs(kernel: IntegerKernel, matrices: Matrices, channels: number, width?: number) {
    const length = packedPairsLength(matrices, channels, width);
    const packed = this.#reserve(2 * length);
    const pairs = new Int16Array(this.#host.memory.buffer, packed, length);
    packPairs(kernel.values, matrices, channels, pairs, width);
    return { packed, scales: this.placeTable(kernel.scales, kernel.scales.length) };
  }

  /** Room for numbers that the caller writes. */
  room(bytes: number): Room {
    const { memory } = this.#host;
    return {
      address: this.#reserve(bytes),
      get buffer() {
        return memory.buffer;
      },
    };
  }

  /** Makes the scratch at least so long; its address may change. */
  reserveScratch(bytes: number): void {
    if (bytes <= this.#scratch.bytes) return;
    this.#freeScratch();
    this.#scratch = { address: this.#allocate(bytes), bytes };
  }

  /** Where the scratch lies now. */
  get scratch(): number {
    return this.#scratch.address;
  }

  /** The numbers at an address, as long as the memory does not grow. */
  numbers(address: number, length: number): Float32Array {
    return new Float32Array(this.#host.memory.buffer, address, length);
  }

  copy(to: number, from: number, bytes: number): void {
    new Uint8Array(this.#host.memory.buffer).copyWithin(to, from, from + bytes);
  }

  dispose(): void {
    for (const address of this.#held.splice(0)) this.#host.free(address);
    this.#freeScratch();
  }

  #reserve(bytes: number): number {
    const address = this.#allocate(bytes);
    this.#held.push(address);
    return address;
  }

  #allocate(bytes: number): number {
    const address = this.#host.malloc(bytes);
    if (address === 0) throw new Error(`no wasm memory left for ${bytes} bytes`);
    return address;
  }

  #freeScratch(): void {
    if (this.#scratch.address !== 0) this.#host.free(this.#scratch.address);
    this.#scratch = { address: 0, bytes: 0 };
  }
}
