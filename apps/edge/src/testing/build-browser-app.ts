import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { TFJS_BINARY, WEBP_BINARY } from '../runtimes/disk.ts';
import { withSmallMemory } from '../runtimes/initial-memory.ts';

/**
 * Bundles browser-app.ts as a browser loads it.
 * @returns `app.js` and what it fetches beside the generators, by name.
 */
export async function buildBrowserApp(): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./browser-app.ts', import.meta.url))],
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // Emscripten's glue names these for Node only.
    external: ['fs', 'path', 'os', 'crypto', 'worker_threads', 'perf_hooks', 'util'],
    logLevel: 'error',
  });
  const readBinary = (name: string) => readFile(new URL(import.meta.resolve(name)));
  return new Map<string, Uint8Array>([
    ['app.js', outputFiles[0]!.contents],
    ['tfjs.wasm', withSmallMemory(await readBinary(TFJS_BINARY))],
    ['kernels.wasm', await readBinary('@killme/model/kernels.wasm')],
    ['webp.wasm', withSmallMemory(await readBinary(WEBP_BINARY))],
  ]);
}
