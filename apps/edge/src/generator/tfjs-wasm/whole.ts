/**
 * tfjs's wasm backend for runtimes that load packages as they are (Node, Deno): its CommonJS build,
 * which registers every kernel. The kernels used are those of bundled.ts, so the numbers are too.
 *
 * @module
 */
export { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
export { default as emscriptenFactory } from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js';
