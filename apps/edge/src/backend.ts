/**
 * The one place that gives tfjs a backend: wasm, always the SIMD single-thread binary, so that the
 * same generator draws the same bytes in workerd, Deno, Node and Chromium.
 *
 * tfjs's own start (`setBackend('wasm')`) fetches and compiles the binary, which workerd forbids
 * (tfjs#8157), and picks a binary by what the machine can do. Here the caller hands over a compiled
 * module instead, through the hook that Emscripten's glue has for it.
 *
 * @module
 */

import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm, emscriptenFactory } from '#tfjs-wasm';

type WasmBackendModule = ConstructorParameters<typeof BackendWasm>[0];

/** What `instantiateWasm` calls when the instance is there. */
type ReceiveInstance = (instance: WebAssembly.Instance, module: WebAssembly.Module) => void;

interface EmscriptenModule extends Omit<WasmBackendModule, 'tfjs'> {
  cwrap(name: string, returns: 'number' | null, takes: 'number'[]): (...args: number[]) => number;
}

type EmscriptenFactory = (options: {
  instantiateWasm(imports: WebAssembly.Imports, receive: ReceiveInstance): object;
}) => Promise<EmscriptenModule>;

// The package's types say `export default`, its file says `module.exports =`.
const createModule = emscriptenFactory as unknown as EmscriptenFactory;

let started: Promise<void> | undefined;

/**
 * Makes wasm the backend of tfjs-core; later calls wait for the first one.
 * @param binary `@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm`, compiled.
 * @throws when the binary cannot be instantiated; the next call then tries again.
 */
export function startBackend(binary: WebAssembly.Module): Promise<void> {
  started ??= start(binary).catch((error: unknown) => {
    started = undefined;
    throw error;
  });
  return started;
}

async function start(binary: WebAssembly.Module): Promise<void> {
  const backend = new BackendWasm(await instantiate(binary));
  // The kernels are registered for this name, which the whole package (whole.ts) has taken itself.
  if (tf.findBackendFactory('wasm')) tf.removeBackend('wasm');
  tf.registerBackend('wasm', () => backend);
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs did not take the wasm backend');
}

async function instantiate(binary: WebAssembly.Module): Promise<WasmBackendModule> {
  const module = await new Promise<EmscriptenModule>((resolve, reject) => {
    createModule({
      instantiateWasm(imports, receive) {
        WebAssembly.instantiate(binary, imports).then(
          (instance) => receive(instance, binary),
          reject,
        );
        return {}; // means: the instance will come later
      },
    }).then(resolve, reject);
  });
  // What init() of dist/backend_wasm.js adds; `register_tensor` and so on are the C++ side's names.
  const tfjs = {
    init: module.cwrap('init', null, []),
    initWithThreadsCount: module.cwrap('init_with_threads_count', null, ['number']),
    getThreadsCount: module.cwrap('get_threads_count', 'number', []),
    registerTensor: module.cwrap('register_tensor', null, ['number', 'number', 'number']),
    disposeData: module.cwrap('dispose_data', null, ['number']),
    dispose: module.cwrap('dispose', null, []),
  };
  return Object.assign(module, { tfjs });
}
