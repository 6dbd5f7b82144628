/**
 * Compiles the AssemblyScript in `assembly/` to `kernels.wasm`, which is committed:
 * `node src/engines/wasm/simd/build.ts` after a change to it.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { compileAssemblyScript } from '@killme/model/assemblyscript';

/** Relaxed SIMD has a fused multiply-add; threads of ours share tfjs's memory. */
const OPTIONS = [
  ...['--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'relaxed-simd', '--enable', 'threads'],
];

/** @returns the module's bytes. */
export const buildKernels = () =>
  compileAssemblyScript(new URL('assembly/', import.meta.url), OPTIONS);

if (import.meta.main) {
  writeFileSync(new URL('kernels.wasm', import.meta.url), await buildKernels());
}
