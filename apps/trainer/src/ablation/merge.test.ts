import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type AblationRow, readRows } from './csv.ts';
import { mergeResults } from './merge.ts';
import { planAblation } from './plan.ts';
import { taskFile, writePlan, writeResult } from './results.ts';

const [template] = await readRows(join(import.meta.dirname, 'fixtures/ablation.csv'));

const plan = planAblation({
  variants: ['lite', 'hinge'],
  budget: { cpuSeconds: 300 },
  seeds: [1, 2],
  data: ['/sets/icons'],
  backend: 'wasm',
  split: false,
});

const row = (changed: Partial<AblationRow>): AblationRow => ({
  ...template!,
  ...{ data: 'icons', budget: '300 CPU seconds', device: 'AMD × 2', host: 'n1', version: 'a' },
  ...changed,
});

const results = (seed: number, changed: Partial<AblationRow> = {}) =>
  ['lite', 'hinge'].map((variant) => row({ variant, seed, ...changed }));

let [first, second, to] = ['', '', ''];
let lines: string[];

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'killme-merge-'));
  [first, second, to] = [join(root, 'first'), join(root, 'second'), join(root, 'table.csv')];
  lines = [];
  for (const folder of [first, second]) await writePlan(folder, plan);
});

const merge = (...folders: string[]) =>
  mergeResults(folders, { to, log: (line) => lines.push(line) });

const keys = async () => (await readRows(to)).map(({ variant, seed }) => `${variant} ${seed}`);

describe('the merge of results', () => {
  it('has the rows of all tasks in the order of their numbers, and adds them once', async () => {
    await writeResult(first, { task: 1, rows: results(2), done: true });
    await writeResult(first, { task: 0, rows: results(1, { swd: 1.23456 }), done: true });
    await merge(first);
    expect(await keys()).toEqual(['lite 1', 'hinge 1', 'lite 2', 'hinge 2']);
    const table = await readFile(to, 'utf8');
    await merge(first);
    expect(await readFile(to, 'utf8')).toBe(table);
    expect(lines).toContain('4 rows were there twice, with the same figures: each counts once');
  });

  it('counts what two tasks of one number have made once, and refuses it where they differ', async () => {
    await writeResult(first, { task: 0, rows: results(1), done: true });
    await writeResult(first, { task: 1, rows: results(2), done: true });
    await writeResult(second, { task: 1, rows: results(2, { host: 'n2' }), done: true });
    await merge(first, second);
    expect(await keys()).toHaveLength(4);
    await writeResult(second, { task: 1, rows: results(2, { host: 'n2', swd: 99 }), done: true });
    await expect(merge(first, second)).rejects.toThrow(
      'lite of icons, seed 2, 300 CPU seconds, warm-up 10000 is there twice, with different figures: ',
    );
  });

  it('lists what is missing, and keeps what there is', async () => {
    await writeResult(first, { task: 0, rows: results(1).slice(0, 1), done: false });
    await expect(merge(first)).rejects.toThrow('2 of 2 tasks are missing');
    expect(lines).toContain('missing: task 0: hinge (/sets/icons, seed 1)');
    expect(lines).toContain('missing: task 1: lite, hinge (/sets/icons, seed 2)');
    expect(await keys()).toEqual(['lite 1']);
  });

  it('says where rows of unlike machines stand side by side', async () => {
    await writeResult(first, { task: 0, rows: results(1), done: true });
    await writeResult(first, { task: 1, rows: results(2, { device: 'Intel × 8' }), done: true });
    await merge(first);
    expect(lines).toContain(
      'icons, 300 CPU seconds, on tensorflow: rows of unlike machines, whose CPU seconds are not ' +
        'one budget: AMD × 2; Intel × 8',
    );
  });

  it('refuses a file that is cut off, and results of another plan', async () => {
    await expect(writePlan(first, { ...plan, count: 10 })).rejects.toThrow(
      'has the results of another sweep',
    );
    await writeFile(taskFile(first, { number: 0 }), '{"format":"killme-ablation-task-1"');
    await expect(merge(first)).rejects.toThrow('task-0000.json is not the result of a task');
  });
});
