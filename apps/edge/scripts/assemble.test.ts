// @module-tag slow
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nameFolder } from '../src/runtimes/named-folder.ts';
import { randomGeneratorFiles } from '../src/testing/index.ts';
import { newestRun } from './arguments.ts';
import { assembleAssets } from './assemble.ts';

let folder: string;

async function writeGenerator(name: string): Promise<string> {
  const generator = `${folder}/${name}`;
  await mkdir(generator, { recursive: true });
  for (const [file, bytes] of await randomGeneratorFiles()) {
    await writeFile(`${generator}/${file}`, bytes);
  }
  return generator;
}

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-assemble-`);
});

afterAll(() => rm(folder, { recursive: true }));

it('puts the generator and the page together, and nothing else', async () => {
  const generator = await writeGenerator('whole');
  await writeFile(`${generator}/notes.txt`, 'private');
  const target = `${folder}/assets`;
  await assembleAssets({ generators: [nameFolder(generator)] }, target);
  await assembleAssets({ generators: [nameFolder(generator)] }, target);
  expect((await readdir(target, { recursive: true })).sort()).toEqual([
    'deployment.json',
    'generators',
    'generators/whole',
    'generators/whole/generator.json',
    'generators/whole/weights-0.bin',
    'page',
    'page/engine-webgpu.js',
    'page/engine.js',
    'page/engine.wasm',
    'page/index.html',
    'page/kernels.wasm',
    'page/page.css',
    'page/page.js',
  ]);
});

it('leaves what was there when the new generator is damaged', async () => {
  const target = `${folder}/kept`;
  await assembleAssets({ generators: [nameFolder(await writeGenerator('good'))] }, target);
  const before = await readdir(target, { recursive: true });
  const damaged = await writeGenerator('damaged');
  await writeFile(`${damaged}/weights-0.bin`, 'short');
  await expect(assembleAssets({ generators: [nameFolder(damaged)] }, target)).rejects.toThrow(
    /^weights-0\.bin is damaged/,
  );
  expect(await readdir(target, { recursive: true })).toEqual(before);
  expect((await readdir(folder)).filter((name) => name.startsWith('kept'))).toEqual(['kept']);
});

it('finds the run whose generator was written last', async () => {
  const runs = `${folder}/runs`;
  expect(await newestRun(runs)).toBeUndefined();
  await mkdir(`${runs}/unfinished`, { recursive: true });
  expect(await newestRun(runs)).toBeUndefined();
  const [older, newer] = [
    await writeGenerator('runs/b/generator'),
    await writeGenerator('runs/a/generator'),
  ];
  await utimes(`${older}/generator.json`, 1000, 1000);
  expect(await newestRun(runs)).toBe(newer);
});
