/**
 * tfjs's wasm backend over a shared memory, so that threads of ours can work on its tensors.
 *
 * Only tfjs's threaded build has a shared memory. tfjs never loads it under Node: its own start
 * gives each pthread a Blob URL, which Node's workers do not take (tfjs#3830). So its Emscripten
 * module is started here by the hooks that Emscripten has for it. Its thread pool (XNNPACK's) is
 * left at one thread: idle pool threads spin for a while after each operation, on the cores that our
 * own threads need.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import wasm, { type BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

const require = createRequire(import.meta.url);
const BUILD = '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js';

/** What is used here of tfjs's Emscripten module. */
export interface WasmModule {
  HEAPU8: Uint8Array;
  wasmMemory: WebAssembly.Memory;
  PThread: { unusedWorkers: { terminate(): Promise<number> }[] };
  tfjs: Record<string, (...values: number[]) => number>;
  _malloc(bytes: number): number;
  _free(address: number): void;
  cwrap(name: string, result: 'number' | null, types: string[]): (...values: number[]) => number;
}

/** A backend and the module with the memory that its tensors lie in. */
export interface SharedBackend {
  backend: BackendWasm;
  module: WasmModule;
}

/** Makes `wasm` the current backend. */
export async function startSharedBackend(): Promise<SharedBackend> {
  const module = await loadModule();
  wasm.setThreadsCount(1);
  // The package registered a start of its own under the name.
  tf.removeBackend('wasm');
  tf.registerBackend(
    'wasm',
    () => new wasm.BackendWasm(module as unknown as BackendWasm['wasm']),
    2,
  );
  await tf.setBackend('wasm');
  return { backend: tf.backend() as BackendWasm, module };
}

async function loadModule(): Promise<WasmModule> {
  const path = require.resolve(BUILD);
  const create = require(BUILD) as (options: object) => Promise<WasmModule>;
  const forget = rememberListeners();
  const starting = create({
    locateFile: (name: string) =>
      name.endsWith('.worker.js')
        ? fileURLToPath(new URL('simd/pthread.ts', import.meta.url))
        : join(dirname(path), name),
  });
  forget();
  const module = await starting;
  const idle = module.PThread.unusedWorkers.splice(0);
  await Promise.all(idle.map((worker) => worker.terminate()));
  // The same functions that tfjs's own start gives its module (backend_wasm.ts, init).
  const wrap = (name: string, ...types: 'number'[]) => module.cwrap(name, null, types);
  module.tfjs = {
    init: wrap('init'),
    initWithThreadsCount: wrap('init_with_threads_count', 'number'),
    getThreadsCount: module.cwrap('get_threads_count', 'number', []),
    registerTensor: wrap('register_tensor', 'number', 'number', 'number'),
    disposeData: wrap('dispose_data', 'number'),
    dispose: wrap('dispose'),
  };
  return module;
}

const LAST_RESORTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Emscripten's glue adds handlers that throw what they are given again: an error then prints all of
 * the glue, and the process does not end.
 * @returns what takes away every handler added since.
 */
function rememberListeners(): () => void {
  const before = LAST_RESORTS.map((event) => new Set(process.rawListeners(event)));
  return () => {
    LAST_RESORTS.forEach((event, i) => {
      for (const listener of process.rawListeners(event)) {
        if (!before[i]!.has(listener)) {
          process.removeListener(event, listener as (...values: unknown[]) => void);
        }
      }
    });
  };
}
