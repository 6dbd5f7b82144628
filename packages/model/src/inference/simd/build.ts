/**
 * Compiles the AssemblyScript in `assembly/` to `kernels.wasm`, which is committed:
 * `node src/inference/simd/build.ts` after a change to it.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Compiles a folder of AssemblyScript, from its index.ts.
 * @param options of `asc`, added to those that all loops on tfjs's memory need.
 * @returns the module's bytes. It imports its memory as `env.memory` and allocates nothing.
 */
export async function compileAssemblyScript(
  folder: URL,
  options: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const asc = await import('assemblyscript/asc');
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    ['index.ts', '--outFile', 'kernels.wasm', ...COMMON, ...options],
    {
      readFile: (name) => read(new URL(name, folder)),
      writeFile: (_, contents) => {
        bytes = contents as Uint8Array<ArrayBuffer>;
      },
      listFiles: () => [],
    },
  );
  if (error || !bytes) throw new Error(`the kernels do not compile: ${stderr.toString()}`);
  return bytes;
}

const COMMON = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--importMemory'],
  ...['--enable', 'simd'],
];

function read(file: URL): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

export const buildKernels = () => compileAssemblyScript(new URL('assembly/', import.meta.url), []);

if (import.meta.main) {
  writeFileSync(new URL('kernels.wasm', import.meta.url), await buildKernels());
}
