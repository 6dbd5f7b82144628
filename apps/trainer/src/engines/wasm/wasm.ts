/**
 * The `wasm` engine: runs anywhere Node runs, on all CPU cores, with nothing to install.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { registerTrainingKernels } from '@killme/model/training';
// For its gradients: tfjs-core alone registers none under Node.
import '@tensorflow/tfjs';
import type { Engine } from '../engine.ts';
import { startSharedBackend } from './backend.ts';
import { createHeap } from './heap.ts';
import { registerWasmKernels } from './kernels.ts';
import { startThreads } from './simd/threads.ts';

/**
 * Makes `wasm` the current backend and gives it the training kernels. The threads do not keep the
 * process alive. The same inputs give the same bits, with any number of threads.
 */
export async function startWasm({ threads = threadCount() } = {}): Promise<Engine> {
  const { backend, module } = await startSharedBackend();
  const pool = await startThreads(module.wasmMemory, module._malloc(4), threads);
  registerWasmKernels(createHeap(backend, module, pool));
  registerTrainingKernels('wasm');
  const device = `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}, WebAssembly SIMD`;
  return { name: 'wasm', device, gpu: false };
}

function threadCount(): number {
  return Number(process.env.KILLME_THREADS) || availableParallelism();
}
