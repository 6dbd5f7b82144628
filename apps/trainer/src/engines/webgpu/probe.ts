/**
 * Prints the WebGPU adapter of the runtime as JSON, or null; for `findWebgpu` to run under Deno.
 *
 * @module
 */
import { readAdapter } from './adapter.ts';

console.log(JSON.stringify((await readAdapter()) ?? null));
