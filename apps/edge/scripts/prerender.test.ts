// @module-tag slow
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readGeneratorManifest, UserError } from '@killme/model';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { folderReader } from '../src/runtimes/disk.ts';
import { nameFolder } from '../src/runtimes/named-folder.ts';
import { randomGeneratorFiles } from '../src/testing/index.ts';
import { assembleAssets } from './assemble.ts';
import { prerender } from './prerender.ts';

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

beforeEach(() => {
  vi.stubEnv('INIT_CWD', folder); // where the person stands, as npm says
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Does it in this process, which takes seconds less than one of its own; returns what it prints. */
async function prerenderHere(...args: string[]): Promise<string> {
  const print = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await prerender(args);
  const lines = print.mock.calls.flat();
  print.mockRestore();
  return lines.join('\n');
}

it('renders a gallery, says how large it is and how it is served', async () => {
  const program = fileURLToPath(new URL('prerender.ts', import.meta.url));
  const args = [program, '--generator', 'one', '--count', '3'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toMatch(/^3 pictures, 0\.0 MB, in .*\/gallery\n.*npm start -- --gallery gallery/);
  const { hash } = await readGeneratorManifest(folderReader(`${folder}/one`));
  const digits = hash.slice(0, 16);
  expect((await readdir(`${folder}/gallery`, { recursive: true })).sort()).toEqual([
    '_headers',
    ...['g', `g/${digits}`],
    ...[0, 1, 2].map((picture) => `g/${digits}/${picture}.png`),
    'gallery.json',
    ...['generator', 'generator/generator.json', 'generator/weights-0.bin'],
  ]);
  expect(await readFile(`${folder}/gallery/_headers`, 'utf8')).toBe(
    `/g/${digits}/*\n` +
      '  X-Robots-Tag: noindex\n' +
      '  Access-Control-Allow-Origin: *\n' +
      '  Access-Control-Expose-Headers: ETag, Killme-Source, Link\n' +
      '  Cross-Origin-Resource-Policy: cross-origin\n' +
      '  X-Content-Type-Options: nosniff\n' +
      '  Cache-Control: public, max-age=31536000, immutable\n' +
      '  Killme-Source: gallery\n',
  );
});

it('becomes an asset of its generator, and of no other', async () => {
  const target = `${folder}/assets`;
  const gallery = `${folder}/gallery`;
  const shown = (generator: string, from: string) => ({
    generators: [{ ...nameFolder(`${folder}/${generator}`), gallery: from }],
  });
  await assembleAssets(shown('one', gallery), target);
  const assets = (await readdir(`${target}/g`, { recursive: true })).sort();
  expect(assets).toEqual((await readdir(`${gallery}/g`, { recursive: true })).sort());
  expect(await readFile(`${target}/_headers`)).toEqual(await readFile(`${gallery}/_headers`));
  await expect(assembleAssets(shown('other', gallery), target)).rejects.toThrow(
    /^the gallery was made by another generator/,
  );
  await expect(assembleAssets(shown('one', `${folder}/none`), target)).rejects.toThrow(
    /none\/gallery\.json does not exist$/,
  );
  expect((await readdir(`${target}/g`, { recursive: true })).sort()).toEqual(assets);
});

it('renders shards on several machines, which merge into the gallery of one process', async () => {
  await prerenderHere('--generator', 'one', '--count', '5', '--out', 'whole');
  const shard = (text: string, count = '5') =>
    prerenderHere('--generator', 'one', '--count', count, '--out', 'parts', '--shard', text);
  const merge = () => prerenderHere('--merge', '--out', 'parts');
  expect(await shard('0/2')).toMatch(/^shard 0 of 2: 3 pictures, in .*0-of-2\n/);
  await expect(merge()).rejects.toThrow(/^\S*parts\.shards lacks 1 of 2 shards: 1$/);
  await shard('1/2', '6');
  await expect(merge()).rejects.toThrow(/^0-of-2 and 1-of-2 in .* are not of one gallery/);
  expect(await shard('1/2')).toMatch(/^shard 1 of 2: 2 pictures/);
  expect(await shard('1/2')).toMatch(/^shard 1 of 2 is there already/);
  expect(await merge()).toMatch(/^5 pictures/);
  const files = async (gallery: string) => {
    const all = await readdir(`${folder}/${gallery}`, { recursive: true, withFileTypes: true });
    const paths = all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    const read = paths.map(async (path) => [
      relative(`${folder}/${gallery}`, path),
      await readFile(path),
    ]);
    return Object.fromEntries(await Promise.all(read)) as Record<string, Buffer>;
  };
  const whole = await files('whole');
  expect(Object.keys(whole)).toHaveLength(5 + 4);
  expect(await files('parts')).toEqual(whole);
  expect(await readdir(folder)).not.toContain('parts.shards');
});

it.each([
  [['--generator', 'one'], /^--count must be a whole number from 1 to 1000000; it is missing$/],
  [['--generator', 'one', '--count', '0'], /^--count must be .*, not 0$/],
  [['--generator', 'one', '--count', '1000001'], /^--count must be .*, not 1000001$/],
  [['--generator', 'none', '--count', '1'], /none\/generator\.json does not exist$/],
  [['--generator', 'one', '--count', '1', '--out', 'one'], /^.*one is there and is not a gallery/],
  [['--generator', 'damaged', '--count', '1'], /^weights-0\.bin is damaged/],
  [
    ['--generator', 'one', '--generator', 'other', '--count', '1'],
    /^a gallery is of one generator/,
  ],
  [
    ['--generator', 'one', '--count', '4', '--shard', '4/4'],
    /^--shard 4\/4: the shards of 4 are 0 to 3/,
  ],
  [['--merge', '--count', '4'], /^--merge takes --out alone/],
  [['--merge', '--out', 'nothing'], /nothing\.shards holds no shard/],
  [['--generator', 'one', '--count', '1', '--to', 'x'], /^Unknown option '--to'/],
])('refuses %j in one line', async (args, line) => {
  const before = await readdir(folder);
  const refusal = await prerender(args).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UserError); // which a command prints as one line, see runCommand
  expect((refusal as UserError).message).toMatch(line);
  expect((refusal as UserError).message).not.toContain('\n');
  expect(await readdir(folder)).toEqual(before);
});
