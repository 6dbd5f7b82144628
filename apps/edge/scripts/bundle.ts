/**
 * Bundles `npm run serve` into one folder that needs nothing but Node: no npm, no node_modules to
 * install. For the container image and for your own machines.
 *
 *     node scripts/bundle.ts [--out dist/bundle]     then: node dist/bundle/dist/server/serve.js
 *
 * @module
 */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, userPath, writeFolderWhole } from '@killme/command-line';
import { build } from 'esbuild';
import { KERNELS_BINARY, TFJS_BINARY, WEBP_BINARY } from '../src/runtimes/disk.ts';
import { SHIPPED_GENERATORS } from '../src/runtimes/named-folder.ts';
import { readArguments } from './arguments.ts';
import { buildPage } from './build-page.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Each becomes a file of its own: processes and threads are started by file. */
const PROGRAMS = [
  './serve.ts',
  '../src/runtimes/node/server-process.ts',
  '../src/runtimes/node/render-thread.ts',
];

/** As far from the page and the generators as src/runtimes/ is. */
const SERVER_FOLDER = 'dist/server';

/** What packages in CommonJS find in Node. */
const COMMONJS = [
  'import { createRequire } from "node:module";',
  'const require = createRequire(import.meta.url);',
  'const { dirname: __dirname, filename: __filename } = import.meta;',
].join(' ');

/** Writes the folder `target`, which it replaces. */
export async function bundle(target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await writeFolderWhole(target, async (draft) => {
    await build({
      entryPoints: PROGRAMS.map(here),
      outdir: `${draft}/${SERVER_FOLDER}`,
      entryNames: '[name]',
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      // Of tfjs's kernels only those that render, as in workerd.
      conditions: ['workerd'],
      banner: { js: COMMONJS },
      // Node 20 does not know it: the server would end without a word.
      define: { 'import.meta.main': 'true' },
      logLevel: 'error',
    });
    await writeFile(`${draft}/package.json`, '{ "type": "module" }\n');
    await buildPage(`${draft}/dist/page`);
    for (const name of [TFJS_BINARY, KERNELS_BINARY, WEBP_BINARY]) await copyBinary(name, draft);
    for (const { name, folder } of SHIPPED_GENERATORS) {
      await copyFiles(folder, `${draft}/generators/${name}`);
    }
  });
}

/** Where Node looks for what a package has. */
async function copyBinary(name: string, draft: string): Promise<void> {
  const target = join(draft, 'node_modules', name);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(fileURLToPath(import.meta.resolve(name)), target);
}

async function copyFiles(folder: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const name of await readdir(folder))
    await copyFile(`${folder}/${name}`, `${target}/${name}`);
}

const ABOUT = `Usage: npm run bundle -- [options]

Writes a folder with the server of \`npm run serve\`, which needs Node 24 and nothing else.`;

async function main(): Promise<void> {
  const { out } = readArguments(
    { out: { type: 'string', value: 'DIR', help: 'the folder; default: apps/edge/dist/bundle' } },
    ABOUT,
  );
  const target = out === undefined ? here('../dist/bundle') : userPath(out);
  await bundle(target);
  console.log(
    `${basename(target)} has the server, its page and the shipped generators. Start it with ` +
      `\`node ${target}/${SERVER_FOLDER}/serve.js\``,
  );
}

if (import.meta.main) await runCommand(main);
