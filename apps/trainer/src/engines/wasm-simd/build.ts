/**
 * Compiles the AssemblyScript beside this file to `kernels.wasm`, which is committed:
 * `node src/engines/wasm-simd/build.ts` after a change to an `.as` file.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';

const OPTIONS = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort='],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'simd', '--enable', 'relaxed-simd', '--enable', 'threads'],
];

/** @returns the module's bytes. */
export async function buildKernels(): Promise<Uint8Array> {
  const asc = await import('assemblyscript/asc');
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['index.ts', '--outFile', 'kernels.wasm', ...OPTIONS], {
    readFile: (name) => readSource(name),
    writeFile: (_, contents) => {
      bytes = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error || !bytes) throw new Error(`the kernels do not compile: ${stderr.toString()}`);
  return bytes;
}

/** The compiler asks for `.ts` files; ours are `.as`, since they are not TypeScript. */
function readSource(name: string): string | null {
  try {
    return readFileSync(new URL(name.replace(/\.ts$/, '.as'), import.meta.url), 'utf8');
  } catch {
    return null;
  }
}

if (import.meta.main) {
  writeFileSync(new URL('kernels.wasm', import.meta.url), await buildKernels());
}
