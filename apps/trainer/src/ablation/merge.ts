/**
 * `npm run ablate -- --merge`: the results of all tasks as one table.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '@killme/model';
import { isCpuTime } from './budget.ts';
import { type AblationRow, describeKey, findRow, readRows, rounded, writeRows } from './csv.ts';
import type { AblationPlan } from './plan.ts';
import { listTaskFiles, readPlan, readTaskFile, type TaskResult } from './results.ts';

interface Sourced {
  row: AblationRow;
  source: string;
}

/**
 * Adds the rows of all tasks to a CSV, those of a task after those of the tasks before it.
 * @param folders of results; where the tasks had no shared disk, several of one plan.
 * @throws UserError when two rows of one run differ (nothing is written then), and, after the CSV has
 * been written, when tasks are missing.
 */
export async function mergeResults(
  folders: readonly string[],
  { to, log }: { to: string; log: (line: string) => void },
): Promise<void> {
  const plan = await onePlan(folders);
  const results = await readResults(folders);
  const before = (await readRows(to)).map((row) => ({ row, source: to }));
  const made = [...results]
    .sort(([, a], [, b]) => a.task - b.task)
    .flatMap(([source, { rows }]) => rows.map((row) => ({ row: rounded(row), source })));
  const { rows, doubles } = unite([...before, ...made]);
  await writeRows(to, rows);
  log(`${to}: ${rows.length} rows, ${rows.length - before.length} of them new`);
  if (doubles > 0) log(`${doubles} rows were there twice, with the same figures: each counts once`);
  for (const line of unlikeMachines(rows)) log(line);
  const missing = missingTasks(plan, [...results.values()]);
  if (missing.length === 0) return;
  for (const { number, what } of missing) log(`missing: task ${number}: ${what}`);
  throw new UserError(
    `${missing.length} of ${plan.tasks.length} tasks are missing: run them by --task I, then merge again`,
  );
}

async function onePlan(folders: readonly string[]): Promise<AblationPlan> {
  const [plan, ...others] = await Promise.all(folders.map(readPlan));
  const other = others.findIndex((one) => !isDeepStrictEqual(one, plan));
  if (other < 0) return plan!;
  throw new UserError(`${folders[0]} and ${folders[other + 1]} are of different sweeps`);
}

/** By the file that each is from. */
async function readResults(folders: readonly string[]): Promise<Map<string, TaskResult>> {
  const files = (await Promise.all(folders.map(listTaskFiles))).flat();
  return new Map(
    await Promise.all(files.map(async (file) => [file, await readTaskFile(file)] as const)),
  );
}

function unite(all: readonly Sourced[]): { rows: AblationRow[]; doubles: number } {
  const kept: Sourced[] = [];
  let doubles = 0;
  for (const { row, source } of all) {
    const first = kept.find((one) => findRow([one.row], row));
    if (!first) {
      kept.push({ row, source });
      continue;
    }
    if (!isDeepStrictEqual(figures(first.row), figures(row))) {
      throw new UserError(
        `${describeKey(row)} is there twice, with different figures: ` +
          `in ${first.source} (${first.row.host}) and in ${source} (${row.host}); remove one of them`,
      );
    }
    doubles++;
  }
  return { rows: kept.map(({ row }) => row), doubles };
}

/** What of a row does not depend on where it was made. */
const figures = ({ host: _, device: __, version: ___, command: ____, ...rest }: AblationRow) =>
  rest;

/** A line for each group of rows that stand side by side in a table and were made by unlike machines. */
export function unlikeMachines(rows: readonly AblationRow[]): string[] {
  const groups = Map.groupBy(rows, ({ data, budget, engine }) =>
    [data, budget, `on ${engine}`].join(', '),
  );
  return [...groups].flatMap(([name, group]) => {
    const several = (key: 'device' | 'version') => {
      const values = [...new Set(group.map((row) => row[key]).filter(Boolean))];
      return values.length > 1 ? values.join('; ') : undefined;
    };
    const [devices, versions] = [several('device'), several('version')];
    const unequal = isCpuTime(group[0]!.budget) ? ', whose CPU seconds are not one budget' : '';
    return [
      ...(devices ? [`${name}: rows of unlike machines${unequal}: ${devices}`] : []),
      ...(versions ? [`${name}: rows of different versions of the code: ${versions}`] : []),
    ];
  });
}

function missingTasks({ tasks }: AblationPlan, results: readonly TaskResult[]) {
  return tasks.flatMap(({ number, variants, seed, data }) => {
    const own = results.filter(({ task }) => task === number);
    if (own.some(({ done }) => done)) return [];
    const made = own.flatMap(({ rows }) => rows.map(({ variant }) => variant));
    const left = variants.filter((variant) => !made.includes(variant));
    const names = left.length > 0 ? left.join(', ') : 'its end';
    return [{ number, what: `${names} (${data ?? 'characters'}, seed ${seed})` }];
  });
}
