import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { countLabels } from '../batches.ts';
import { loadDataset } from '../dataset.ts';
import { EMOJI } from './emoji-recipe.ts';
import { renderIcons } from './icon-recipe.ts';
import { PEEPS } from './peep-recipe.ts';
import { PERSONAS } from './persona-recipe.ts';

const parent = await mkdtemp(join(tmpdir(), 'killme-sets-'));
afterAll(() => rm(parent, { recursive: true, force: true }));

describe.each([
  {
    recipe: PERSONAS,
    counts: { bangs: 120, beanie: 90, buzzcut: 70, curly: 140, long: 180 },
    credit: /Draftbit.*CC BY 4\.0/,
  },
  {
    recipe: PEEPS,
    counts: { curly: 120, hats: 120, long: 120, shaved: 120, short: 120 },
    credit: /Pablo Stanley.*CC0 1\.0/s,
  },
  { recipe: EMOJI, counts: { heads: 360, smileys: 123 }, credit: /Noto Emoji.*Apache-2\.0/ },
])('the set of $recipe.title', { timeout: 60_000 }, ({ recipe, counts, credit }) => {
  const folder = join(parent, recipe.title);

  it('is a folder of classes that training takes', async () => {
    await renderIcons(recipe, folder);
    const dataset = await loadDataset({ path: folder });
    expect(dataset).toMatchObject({ name: recipe.title, imageSize: 128, count: recipe.count });
    expect(
      Object.fromEntries(countLabels(dataset).map((count, i) => [dataset.classes[i], count])),
    ).toEqual(counts);
    expect(dataset.omitted.map(({ file }) => file)).toEqual(['CREDITS.txt', 'manifest.json']);
  });

  it('has hardly two icons that are alike', () => {
    const svgs = [...recipe.icons(128)].map(({ svg }) => svg);
    expect(new Set(svgs).size).toBeGreaterThan(recipe.count * 0.98);
  });

  it('carries its credit', async () => {
    expect(await readFile(join(folder, 'CREDITS.txt'), 'utf8')).toBe(`${recipe.credit}\n`);
    expect(recipe.credit).toMatch(credit);
  });

  it('is never rendered over something else', async () => {
    await expect(renderIcons(recipe, folder)).rejects.toThrow(`${folder} already holds files`);
  });
});
