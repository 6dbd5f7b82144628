import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { seedToLatent } from '@killme/model';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createApp } from '../app.ts';
import {
  negativeVarianceFiles,
  overflowingGeneratorFiles,
  paddedGeneratorFiles,
  randomGeneratorFiles,
} from '../testing/index.ts';
import { diskOptions, folderReader, loadAll } from './disk.ts';
import { MOST_DOWNLOADS } from './downloads.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-disk-`);
  const files = await randomGeneratorFiles({ imageSize: 32 });
  for (const [name, bytes] of files) await writeFile(`${folder}/${name}`, bytes);
});

afterAll(() => rm(folder, { recursive: true }));

describe('files of a generator', () => {
  it('are sent to so many at a time, and to others when one has ended', async () => {
    const app = createApp(diskOptions([{ name: 'random', folder }]));
    const ask = () => app.request('/generator/weights-0.bin');
    const open = await Promise.all(Array.from({ length: MOST_DOWNLOADS }, ask));
    expect(new Set(open.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await ask();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    await open[0]!.body!.cancel();
    expect((await open[1]!.arrayBuffer()).byteLength).toBeGreaterThan(0);
    const after = [await ask(), await ask()];
    expect(after.map(({ status }) => status)).toEqual([200, 200]);
    for (const { body } of [...open.slice(2), ...after]) await body!.cancel();
  });
});

it('a file that cannot be read is named with the remedy, to clients by its name alone', async () => {
  const name = 'generator.json';
  const other = await mkdtemp(`${tmpdir()}/killme-unread-`);
  onTestFinished(() => rm(other, { recursive: true }));
  await mkdir(`${other}/${name}`);
  await expect(folderReader(other)(name)).rejects.toMatchObject({
    message: `${other}/${name} cannot be read (EISDIR): there is a folder of that name: move it away`,
    publicMessage: `${name} cannot be read (EISDIR)`,
  });
});

describe('a server draws one picture of each generator before it says "Ready"', () => {
  /** Loads two generators as a server does: a sound one, and this. */
  async function start(files: ReadonlyMap<string, Uint8Array>) {
    const other = await mkdtemp(`${tmpdir()}/killme-other-`);
    onTestFinished(() => rm(other, { recursive: true }));
    for (const [name, bytes] of files) await writeFile(`${other}/${name}`, bytes);
    const folders = [
      { name: 'sound', folder },
      { name: 'other', folder: other },
    ];
    return loadAll(diskOptions(folders).listGenerators);
  }

  it.each([
    ['sums that overflow', overflowingGeneratorFiles, /^other: .* cannot render a picture: .*NaN/],
    ['a negative variance', negativeVarianceFiles, /^other: .* has a negative variance/],
    [
      '8,192 pixels',
      () => paddedGeneratorFiles(8192 - 16),
      /^other: generator\.json: layer 13 \(zeroPadding2d\) makes 8192 × 8192 × 3 numbers of one image; the most/,
    ],
  ])('and refuses one with %s', async (_, files, reason) => {
    await expect(start(await files())).rejects.toThrow(reason);
  });

  it('and takes one with zeros at its end', async () => {
    const [, padded] = await start(await paddedGeneratorFiles(1));
    const latent = seedToLatent('a', padded!.generator.latentSpace);
    const { width, height, data } = await padded!.generator.render(latent);
    expect([width, height]).toEqual([17, 17]);
    // 0 of [-1, 1] is grey.
    expect([...data.slice(-3)]).toEqual([128, 128, 128]);
  });
});
