// @module-tag slow
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { loadDataset } from '../dataset.ts';
import { makeFolder } from '../testing/files.ts';
import { CHARACTERS } from './character-recipe.ts';
import { characters } from './characters.ts';

/** Drawing takes seconds, so the tests share one cache and go on from each other's state. */
const cacheDir = await mkdtemp(join(tmpdir(), 'killme-characters-'));
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

describe('the stand-in characters', { timeout: 60_000 }, () => {
  it('are the dataset when none is given: 686 faces of four people', async () => {
    const lines: string[] = [];
    const dataset = await loadDataset({ cacheDir, log: (line) => lines.push(line) });
    const counts = dataset.classes.map(
      (_, i) => dataset.labels.filter((label) => label === i).length,
    );
    expect(dataset).toMatchObject({ name: 'characters', imageSize: 128, count: 686, omitted: [] });
    expect(dataset.classes).toEqual(['hazel', 'raven', 'rosie', 'sunny']);
    expect(counts).toEqual([250, 120, 96, 220]);
    expect(dataset.files[0]).toBe('hazel/hazel_001.png');
    expect(lines[0]).toMatch(/^rendering 686 stand-in characters into .+ \(once\)$/);
  });

  it('differ from each other', async () => {
    const { images, count } = await loadDataset({ cacheDir });
    const size = images.length / count;
    const seen = new Set<string>();
    for (let i = 0; i < count; i++) {
      seen.add(Buffer.from(images.buffer, i * size, size).toString('latin1'));
    }
    expect(seen.size).toBeGreaterThan(680);
  });

  it('are kept as PNGs of 128 × 128 to look at, with the credit beside them', async () => {
    const { folder, icons } = await characters({ cacheDir });
    expect(await readdir(icons)).toEqual(['hazel', 'raven', 'rosie', 'sunny']);
    expect(await sharp(join(icons, 'rosie', 'rosie_096.png')).metadata()).toMatchObject({
      format: 'png',
      width: 128,
      height: 128,
      channels: 3,
    });
    expect(await readFile(join(folder, 'CREDITS.txt'), 'utf8')).toBe(`${CHARACTERS.credit}\n`);
    expect(CHARACTERS.credit).toMatch(/Lisa Wischofsky.*CC BY 4\.0/);
  });

  it('are drawn at other sizes, each in a folder of its own', async () => {
    const small = await loadDataset({ cacheDir, imageSize: 64 });
    expect(small).toMatchObject({ name: 'characters', imageSize: 64, count: 686, omitted: [] });
    const { icons } = await characters({ cacheDir, size: 64 });
    const { width, height } = await sharp(join(icons, 'rosie', 'rosie_096.png')).metadata();
    expect([width, height]).toEqual([64, 64]);
    expect((await readdir(cacheDir)).sort()).toEqual(['characters-2-128', 'characters-2-64']);
  });

  it('are rendered once only', async () => {
    const lines: string[] = [];
    await characters({ cacheDir, log: (line) => lines.push(line) });
    expect(lines).toEqual([]);
  });

  it('are rendered again, and the same, when a file of the cache is damaged', async () => {
    const { icons } = await characters({ cacheDir });
    const file = join(icons, 'hazel', 'hazel_001.png');
    const original = await readFile(file);
    await writeFile(file, original.subarray(0, 100));
    const lines: string[] = [];
    await characters({ cacheDir, log: (line) => lines.push(line) });
    expect(lines[0]).toContain('are damaged: rendering them again');
    expect(await readFile(file)).toEqual(original);
    expect((await readdir(cacheDir)).sort()).toEqual(['characters-2-128', 'characters-2-64']);
  });

  it('say so when the cache cannot be written', async () => {
    const folder = await makeFolder({ 'a-file': '' });
    await expect(characters({ cacheDir: join(folder, 'a-file') })).rejects.toThrow(
      /a-file\S* cannot be written \(ENOTDIR\): .* \(XDG_CACHE_HOME names another cache\)$/,
    );
  });

  it('leave what is not theirs alone', async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, 'characters-2-128', 'mine'), { recursive: true });
    await expect(characters({ cacheDir: folder })).rejects.toThrow(
      `${folder}/characters-2-128 already holds files: remove it or choose another folder`,
    );
  });
});
