/**
 * Builds `dist/`: the bundle, its types, and the two wasm files.
 *
 *     node scripts/build.ts
 *
 * @module
 */
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readSmall, TFJS_BINARY } from '@killme/edge/disk';
import { build } from 'esbuild';

const place = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

await rm(place('dist'), { recursive: true, force: true });
await mkdir(place('dist'), { recursive: true });
await build({
  entryPoints: [place('src/index.ts')],
  outfile: place('dist/index.js'),
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  // tfjs-core and Emscripten's glue would call `require` in Node.
  define: { 'process.versions.node': 'undefined' },
  external: ['fs', 'path', 'os', 'crypto', 'worker_threads', 'perf_hooks', 'util'],
  logLevel: 'error',
});
// The types import nothing: the file stands as it is.
await copyFile(place('src/types.ts'), place('dist/types.d.ts'));
await writeFile(
  place('dist/index.d.ts'),
  "import type { LoadGenerator } from './types.js';\nexport type * from './types.js';\nexport declare const loadGenerator: LoadGenerator;\n",
);
await writeFile(place('dist/tfjs.wasm'), await readSmall(TFJS_BINARY));
await copyFile(
  fileURLToPath(import.meta.resolve('@killme/model/kernels.wasm')),
  place('dist/kernels.wasm'),
);
