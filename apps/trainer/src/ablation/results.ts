/**
 * The folder of a sweep's results: `plan.json`, and a file for each task, written whole.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { writeFileWhole } from '@killme/command-line';
import { UserError } from '@killme/model';
import { z } from 'zod';
import { type AblationRow, rowSchema } from './csv.ts';
import { type AblationPlan, type AblationTask, planSchema } from './plan.ts';

/** Rows as JSON has them: with numbers, and `null` for what there is none of. */
const resultSchema = z.strictObject({
  format: z.literal('killme-ablation-task-1'),
  task: z.number().int().nonnegative(),
  rows: z.array(z.record(z.string(), z.union([z.string(), z.number()]))),
  /** Whether the task has come to its end. */
  done: z.boolean(),
});

export interface TaskResult {
  task: number;
  rows: AblationRow[];
  done: boolean;
}

const planFile = (folder: string) => join(folder, 'plan.json');

export const taskFile = (folder: string, { number }: Pick<AblationTask, 'number'>) =>
  join(folder, `task-${String(number).padStart(4, '0')}.json`);

/**
 * Writes the plan where there is none.
 * @throws UserError when the folder has results of another plan.
 */
export async function writePlan(folder: string, plan: AblationPlan): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (!existsSync(planFile(folder))) {
    await writeFileWhole(planFile(folder), `${JSON.stringify(plan, null, 2)}\n`);
  }
  if (isDeepStrictEqual(await readPlan(folder), plan)) return;
  throw new UserError(
    `${folder} has the results of another sweep (see its plan.json): name another --results`,
  );
}

/** @throws UserError when there is none. */
export async function readPlan(folder: string): Promise<AblationPlan> {
  const plan = planSchema.safeParse(await readJson(planFile(folder)));
  if (plan.success) return plan.data;
  throw new UserError(`${folder} is no folder of results: plan.json is missing, or damaged`);
}

/** Of a task that has not begun, no rows. */
export async function readResult(folder: string, task: number): Promise<TaskResult> {
  const file = taskFile(folder, { number: task });
  return existsSync(file) ? readTaskFile(file) : { task, rows: [], done: false };
}

export async function writeResult(folder: string, { task, rows, done }: TaskResult): Promise<void> {
  const result = { format: 'killme-ablation-task-1', task, rows, done };
  await writeFileWhole(taskFile(folder, { number: task }), `${JSON.stringify(result, null, 2)}\n`);
}

/** The files of tasks of a folder, in the order of their numbers. */
export async function listTaskFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^task-\d+\.json$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** @throws UserError when it is not what `npm run ablate` has written. */
export async function readTaskFile(file: string): Promise<TaskResult> {
  const result = resultSchema.safeParse(await readJson(file));
  const rows = z.array(rowSchema).safeParse(result.data?.rows.map(texts));
  if (result.success && rows.success) return { ...result.data, rows: rows.data };
  throw new UserError(`${file} is not the result of a task: remove it, and run the task again`);
}

/** As a row is read from CSV: all text, and empty where there is nothing. */
function texts(row: Record<string, string | number>): Record<string, string> {
  const none = Object.keys(rowSchema.shape).map((key) => [key, '']);
  const cells = Object.entries(row).map(([key, value]) => [key, String(value)]);
  return Object.fromEntries([...none, ...cells]) as Record<string, string>;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}
