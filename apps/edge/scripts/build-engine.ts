/**
 * Bundles the generator for the page's Web Worker into dist/engine/.
 *
 *     node scripts/build-engine.ts
 *
 * @module
 */
import { copyFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ENGINE_FOLDER } from '../src/disk.ts';
import { runScript } from './arguments.ts';

const ENTRY = fileURLToPath(new URL('../src/engine/engine.ts', import.meta.url));
const BINARY = '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';

/** Writes engine.js and engine.wasm to `target`. */
export async function buildEngine(target = fileURLToPath(ENGINE_FOLDER)): Promise<void> {
  await build({
    entryPoints: { engine: ENTRY },
    outdir: target,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // Emscripten's glue names these for Node only.
    external: ['fs', 'path', 'os', 'crypto', 'worker_threads', 'perf_hooks', 'util'],
    logLevel: 'error',
  });
  await copyFile(fileURLToPath(import.meta.resolve(BINARY)), `${target}/engine.wasm`);
}

if (import.meta.main) await runScript(() => buildEngine());
