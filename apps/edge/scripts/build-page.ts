/**
 * Puts together the files of the page: its scripts and its engines bundled, the others as they are.
 *
 *     node scripts/build-page.ts
 *
 * @module
 */
import { copyFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runCommand, writeFolderWhole } from '@killme/command-line';
import { build } from 'esbuild';
import { PAGE_FOLDER, readSmall, TFJS_BINARY } from '../src/runtimes/disk.ts';

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

const SCRIPTS = {
  page: source('page/page.ts'),
  engine: source('browser/engine.ts'),
  'engine-webgpu': source('browser/engine-webgpu.ts'),
};

const COPIES = {
  'index.html': source('page/index.html'),
  'page.css': source('page/page.css'),
  'kernels.wasm': fileURLToPath(import.meta.resolve('@killme/model/kernels.wasm')),
};

/** Writes the files of routes/page.ts to the folder `target`, which it replaces. */
export async function buildPage(target = fileURLToPath(PAGE_FOLDER)): Promise<void> {
  await writeFolderWhole(target.replace(/\/$/, ''), async (draft) => {
    await build({
      entryPoints: SCRIPTS,
      outdir: draft,
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      // Emscripten's glue names these for Node only.
      external: ['fs', 'path', 'os', 'crypto', 'worker_threads', 'perf_hooks', 'util'],
      logLevel: 'error',
    });
    for (const [name, from] of Object.entries(COPIES)) await copyFile(from, `${draft}/${name}`);
    await writeFile(`${draft}/engine.wasm`, await readSmall(TFJS_BINARY));
  });
}

if (import.meta.main) await runCommand(() => buildPage());
