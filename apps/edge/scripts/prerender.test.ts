// @module-tag slow
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nameFolder } from '../src/runtimes/named-folder.ts';
import { randomGeneratorFiles } from '../src/testing/index.ts';
import { assembleAssets } from './assemble.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-prerender-`);
  for (const [name, encoding] of [
    ['one', 'int8'],
    ['other', 'float16'],
  ] as const) {
    await mkdir(`${folder}/${name}`);
    for (const [file, bytes] of await randomGeneratorFiles({ encoding })) {
      await writeFile(`${folder}/${name}/${file}`, bytes);
    }
  }
  await cp(`${folder}/one`, `${folder}/damaged`, { recursive: true });
  await writeFile(`${folder}/damaged/weights-0.bin`, 'short');
});

afterAll(() => rm(folder, { recursive: true }));

/** Runs it as `npm run prerender` does, standing in the folder. */
function prerender(...args: string[]): Promise<{ status: number; output: string }> {
  const environment = { ...process.env, INIT_CWD: folder };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [new URL('prerender.ts', import.meta.url).pathname, ...args],
      { env: environment },
      (error, stdout, stderr) =>
        resolve({ status: Number(error?.code ?? 0), output: stdout + stderr }),
    );
  });
}

it('renders a gallery, says how large it is and how it is served', async () => {
  const { status, output } = await prerender('--generator', 'one', '--count', '3');
  expect(status).toBe(0);
  expect(output).toMatch(/^3 pictures, 0\.0 MB, in .*\/gallery\n.*npm start -- --gallery gallery/);
  expect((await readdir(`${folder}/gallery`)).sort()).toEqual([
    ...['0.png', '1.png', '2.png'],
    'gallery.json',
  ]);
});

it('becomes an asset of its generator, and of no other', async () => {
  const target = `${folder}/assets`;
  const gallery = `${folder}/gallery`;
  await assembleAssets({ generators: [nameFolder(`${folder}/one`)], gallery }, target);
  const assets = (await readdir(`${target}/gallery`)).sort();
  expect(assets).toEqual((await readdir(gallery)).sort());
  await expect(
    assembleAssets({ generators: [nameFolder(`${folder}/other`)], gallery }, target),
  ).rejects.toThrow(/^the gallery was made by another generator/);
  await expect(
    assembleAssets(
      { generators: [nameFolder(`${folder}/one`)], gallery: `${folder}/none` },
      target,
    ),
  ).rejects.toThrow(/none\/gallery\.json does not exist$/);
  expect((await readdir(`${target}/gallery`)).sort()).toEqual(assets);
});

it.each([
  [['--generator', 'one'], /^--count must be a whole number from 1 to 19000 .*; it is missing\n$/],
  [['--generator', 'one', '--count', '0'], /^--count must be .*; not 0\n$/],
  [['--generator', 'one', '--count', '20000'], /^--count must be .*; not 20000\n$/],
  [['--generator', 'none', '--count', '1'], /none\/generator\.json does not exist\n$/],
  [['--generator', 'one', '--count', '1', '--out', 'one'], /^.*one is there and is not a gallery/],
  [['--generator', 'damaged', '--count', '1'], /^weights-0\.bin is damaged/],
  [
    ['--generator', 'one', '--generator', 'other', '--count', '1'],
    /^a gallery is of one generator/,
  ],
  [['--generator', 'one', '--count', '1', '--to', 'x'], /^Unknown option '--to'/],
])('refuses %j in one line', async (args, line) => {
  const before = await readdir(folder);
  const { status, output } = await prerender(...args);
  expect([status, output.trimEnd().split('\n').length]).toEqual([1, 1]);
  expect(output).toMatch(line);
  expect(await readdir(folder)).toEqual(before);
});
