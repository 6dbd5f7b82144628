import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { httpOrigin } from './http-origin.ts';
import { readFolders, readKept } from './named-folder.ts';

let runs: string;

beforeAll(async () => {
  runs = await mkdtemp(`${tmpdir()}/killme-runs-`);
  await mkdir(`${runs}/faces/generator`, { recursive: true });
  await writeFile(`${runs}/faces/generator/generator.json`, '{}');
});

afterAll(() => rm(runs, { recursive: true }));

it.each(['faces', 'faces/generator'])('takes runs/%s for the generator of that run', (folder) => {
  const generator = { folder: `${runs}/faces/generator` };
  expect(readFolders([`${runs}/${folder}`])).toEqual([{ ...generator, name: 'faces' }]);
  expect(readFolders([`own=${runs}/${folder}`])).toEqual([{ ...generator, name: 'own' }]);
  expect(readKept([`${runs}/${folder}`])).toMatchObject([{ ...generator, name: 'faces' }]);
});

it.each([
  ['localhost', 'http://localhost:8787'],
  ['127.0.0.1', 'http://127.0.0.1:8787'],
  ['::1', 'http://[::1]:8787'],
])('writes the host %s as %s', (host, origin) => {
  expect(httpOrigin(host, 8787)).toBe(origin);
});
