/**
 * The one place that gives tfjs a backend: wasm, always the SIMD single-thread binary, so that the
 * same generator renders the same bytes in workerd, Deno, Node and Chromium.
 *
 * tfjs's own start (`setBackend('wasm')`) fetches and compiles the binary, which workerd forbids
 * (tfjs#8157), and picks a binary by what the machine can do. Here the caller hands over a compiled
 * module instead, through the hook that Emscripten's glue has for it.
 *
 * @module
 */

import { type Loops, type StepMaker, simdSteps, type WasmHost } from '@killme/model/inference';
import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm, emscriptenFactory } from '#tfjs-wasm';

type WasmBackendModule = ConstructorParameters<typeof BackendWasm>[0];

/** What `instantiateWasm` calls when the instance is there. */
type ReceiveInstance = (instance: WebAssembly.Instance, module: WebAssembly.Module) => void;

interface EmscriptenModule extends Omit<WasmBackendModule, 'tfjs'> {
  _malloc(bytes: number): number;
  _free(address: number): void;
  cwrap(name: string, returns: 'number' | null, takes: 'number'[]): (...args: number[]) => number;
}

type EmscriptenFactory = (options: {
  instantiateWasm(imports: WebAssembly.Imports, receive: ReceiveInstance): object;
}) => Promise<EmscriptenModule>;

// The package's types say `export default`, its file says `module.exports =`.
const createModule = emscriptenFactory as unknown as EmscriptenFactory;

/** What is compiled of wasm before anything can be rendered. */
export interface WasmBinaries {
  /** `@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm` */
  tfjs: WebAssembly.Module;
  /** `@killme/model/kernels.wasm` */
  kernels: WebAssembly.Module;
}

/** Makes the steps of a generator on the backend that was started. */
type StartSteps = () => StepMaker;

let started: Promise<StartSteps> | undefined;

/**
 * Makes wasm the backend of tfjs-core, with the loops of packages/model in its memory; later calls
 * wait for the first one.
 * @throws when a binary cannot be instantiated; the next call then tries again.
 */
export function startBackend(binaries: WasmBinaries): Promise<StartSteps> {
  started ??= start(binaries).catch((error: unknown) => {
    started = undefined;
    throw error;
  });
  return started;
}

async function start({ tfjs, kernels }: WasmBinaries): Promise<StartSteps> {
  const { module, memory } = await instantiate(tfjs);
  const backend = new BackendWasm(module);
  // The kernels are registered for this name, which the whole package (whole.ts) has taken itself.
  if (tf.findBackendFactory('wasm')) tf.removeBackend('wasm');
  tf.registerBackend('wasm', () => backend);
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs did not take the wasm backend');
  const instance = await WebAssembly.instantiate(kernels, { env: { memory } });
  const host: WasmHost = {
    tensors: backend,
    memory,
    malloc: (bytes) => module._malloc(bytes),
    free: (address) => module._free(address),
  };
  return () => simdSteps(instance.exports as unknown as Loops, host);
}

async function instantiate(binary: WebAssembly.Module) {
  let memory: WebAssembly.Memory | undefined;
  const module = await new Promise<EmscriptenModule>((resolve, reject) => {
    createModule({
      instantiateWasm(imports, receive) {
        WebAssembly.instantiate(binary, imports).then((instance) => {
          // Its name is a letter that the linker chose.
          memory = Object.values(instance.exports).find(
            (value) => value instanceof WebAssembly.Memory,
          );
          receive(instance, binary);
        }, reject);
        return {}; // means: the instance will come later
      },
    }).then(resolve, reject);
  });
  if (!memory) throw new Error('tfjs’s wasm binary exports no memory');
  // What init() of dist/backend_wasm.js adds; `register_tensor` and so on are the C++ side's names.
  const tfjs = {
    init: module.cwrap('init', null, []),
    initWithThreadsCount: module.cwrap('init_with_threads_count', null, ['number']),
    getThreadsCount: module.cwrap('get_threads_count', 'number', []),
    registerTensor: module.cwrap('register_tensor', null, ['number', 'number', 'number']),
    disposeData: module.cwrap('dispose_data', null, ['number']),
    dispose: module.cwrap('dispose', null, []),
  };
  return { module: Object.assign(module, { tfjs }), memory };
}
