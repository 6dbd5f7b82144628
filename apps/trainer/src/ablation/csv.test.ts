import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRow, readRows, writeRows } from './csv.ts';

const folder = await mkdtemp(join(tmpdir(), 'killme-ablation-'));
const fixture = join(import.meta.dirname, 'fixtures/ablation.csv');
const rows = await readRows(fixture);

describe('the CSV of the ablation', () => {
  it('is written as it was read', async () => {
    const copy = join(folder, 'new/copy.csv');
    await writeRows(copy, rows);
    expect(await readFile(copy, 'utf8')).toBe(await readFile(fixture, 'utf8'));
  });

  it('keeps four digits, quotes and line breaks', async () => {
    const file = join(folder, 'odd.csv');
    const row = { ...rows[0]!, swd: 12.34567, data: 'a "b",\nc', rarestClass: undefined };
    await writeRows(file, [row]);
    expect(await readRows(file)).toEqual([{ ...row, swd: 12.35 }]);
  });

  it('has no rows before it is there', async () => {
    expect(await readRows(join(folder, 'none.csv'))).toEqual([]);
  });

  it('finds a row by variant, data, seed, budget and warm-up', () => {
    const key = {
      variant: 'lite',
      data: 'characters',
      seed: 1,
      budget: '300 CPU seconds',
      warmUp: 10000,
    };
    expect(findRow(rows, key)?.iterations).toBe(700);
    expect(findRow(rows, { ...key, budget: '60 CPU seconds' })?.iterations).toBe(140);
    expect(findRow(rows, { ...key, data: 'icons, mine' })?.iterations).toBe(710);
    expect(findRow(rows, { ...key, seed: 3 })).toBeUndefined();
    expect(findRow(rows, { ...key, warmUp: 2000 })).toBeUndefined();
  });

  it.each([
    ['another table', 'a,b\n1,2\n', /is not what npm run ablate writes \(row 1, column variant/],
    ['a row that was cut off', 'a,b\n1\n', /is no CSV: /],
  ])('refuses %s', async (name, text, message) => {
    const file = join(folder, `${name}.csv`);
    await writeFile(file, text);
    await expect(readRows(file)).rejects.toThrow(message);
  });
});
