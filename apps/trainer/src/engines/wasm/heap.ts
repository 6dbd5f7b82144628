import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type * as tf from '@tensorflow/tfjs-core';
import type { WasmModule } from './backend.ts';
import type { Threads } from './simd/threads.ts';

/** What the kernels work with: tensors as addresses in tfjs's memory, and the threads. */
export interface Heap {
  threads: Threads;
  /** Where a tensor's numbers begin, in bytes. */
  address(tensor: tf.TensorInfo): number;
  /** A new float32 tensor, not filled. */
  output(shape: readonly number[]): tf.TensorInfo;
  /** Another tensor with the same numbers in the same place. */
  share(tensor: tf.TensorInfo): tf.TensorInfo;
  /**
   * Memory of the engine's own, kept and reused under its name: valid until the next `reserve` of
   * that name. Ends with slack, because a tile reads (and drops) up to five pixels behind its row.
   * @returns its address.
   */
  reserve(name: string, bytes: number): number;
  /** A view of the memory; stale once anything was allocated. */
  floats(address: number, length: number): Float32Array;
  ints(address: number, length: number): Int32Array;
}

export function createHeap(backend: BackendWasm, module: WasmModule, threads: Threads): Heap {
  const reserved = new Map<string, { address: number; bytes: number }>();

  function reserve(name: string, bytes: number): number {
    const held = reserved.get(name);
    if (held && held.bytes >= bytes) return held.address;
    if (held) module._free(held.address);
    // `>>> 0`: addresses beyond 2 GiB come out of wasm as negative numbers.
    const address = module._malloc(bytes) >>> 0;
    if (address === 0) throw new Error(`no wasm memory left for ${bytes} bytes (${name})`);
    reserved.set(name, { address, bytes });
    return address;
  }

  return {
    threads,
    reserve,
    address: (tensor) => backend.getMemoryOffset(tensor.dataId),
    output: (shape) => {
      const tensor = backend.makeOutput([...shape], 'float32');
      if (backend.getMemoryOffset(tensor.dataId) === 0) {
        throw new Error(`no wasm memory left for a tensor [${shape.join(', ')}]`);
      }
      return tensor;
    },
    share: ({ dataId, shape, dtype }) => {
      backend.incRef(dataId);
      return { dataId, shape, dtype };
    },
    floats: (address, length) => new Float32Array(module.HEAPU8.buffer, address, length),
    ints: (address, length) => new Int32Array(module.HEAPU8.buffer, address, length),
  };
}
