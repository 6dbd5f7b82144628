import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadDataset } from '../dataset.ts';
import { drawIcons } from './icon-recipe.ts';
import { PERSONAS } from './persona-recipe.ts';

const parent = await mkdtemp(join(tmpdir(), 'killme-personas-'));
afterAll(() => rm(parent, { recursive: true, force: true }));
const folder = join(parent, 'personas');

describe('the personas', { timeout: 60_000 }, () => {
  it('are a folder that training takes: 600 people in classes by their hair', async () => {
    await drawIcons(PERSONAS, folder);
    const dataset = await loadDataset({ path: folder });
    const counts = dataset.classes.map(
      (_, i) => dataset.labels.filter((label) => label === i).length,
    );
    expect(dataset).toMatchObject({ name: 'personas', imageSize: 128, count: 600 });
    expect(dataset.classes).toEqual(['bangs', 'beanie', 'buzzcut', 'curly', 'long']);
    expect(counts).toEqual([120, 90, 70, 140, 180]);
    expect(dataset.skipped.map(({ file }) => file)).toEqual(['CREDITS.txt', 'manifest.json']);
  });

  it('differ from each other', () => {
    const drawings = [...PERSONAS.draw()].map(({ svg }) => svg);
    expect(drawings).toHaveLength(600);
    expect(new Set(drawings).size).toBeGreaterThan(590);
  });

  it('carry their credit', async () => {
    expect(await readFile(join(folder, 'CREDITS.txt'), 'utf8')).toBe(`${PERSONAS.credit}\n`);
    expect(PERSONAS.credit).toMatch(/Draftbit.*CC BY 4\.0/);
  });

  it('are never drawn over something else', async () => {
    await expect(drawIcons(PERSONAS, folder)).rejects.toThrow(`${folder} already holds files`);
  });
});
