/**
 * `npm run ablate`: what each method of preset `lite` is worth. Every variant trains for the same
 * budget, and is then measured. docs/sweeps.md says how the tasks are spread over machines.
 *
 * @module
 */
import { join, resolve } from 'node:path';
import { type Dataset, loadDataset } from '@killme/data';
import { UserError } from '@killme/model';
import { startEngine } from '../engines/start.ts';
import { prepareReal, type RealSide } from '../quality/measure-quality.ts';
import { RUNS_FOLDER } from '../run/folder.ts';
import { acquireLock } from '../run/lock.ts';
import { describeMachine } from '../run/machine.ts';
import { type AblationRow, findRow, readRows } from './csv.ts';
import type { AblationPlan, AblationTask } from './plan.ts';
import { readResult, taskFile, writePlan, writeResult } from './results.ts';
import { keyOf, makeRow, makeWarmUp, type TaskContext } from './train-variant.ts';
import { chosenOptions, flags, type VariantName } from './variants.ts';

/** Where the rows go by default. */
export const ABLATION_CSV = resolve(import.meta.dirname, '../../../../docs/ablation.csv');

/** Where the results of tasks go by default. */
export const RESULTS_FOLDER = join(RUNS_FOLDER, 'ablation');

/** How real images are halved, as `npm run metrics` does without `--seed`: one floor for all rows. */
const MEASURE_SEED = 0;

export interface AblateOptions {
  /** The numbers of the tasks to run. */
  chosen: readonly number[];
  /** Folder of the results. */
  results: string;
  /** A CSV; rows that it has are not made again. */
  to: string;
  signal: AbortSignal;
}

/**
 * Runs tasks of a sweep and writes a result for each. A task that was stopped, or killed, goes on from
 * its newest checkpoint.
 * @throws UserError at the end, when variants failed; the others have their rows.
 */
export async function ablate(plan: AblationPlan, options: AblateOptions): Promise<void> {
  const { chosen, results, signal } = options;
  await writePlan(results, plan);
  let failed = 0;
  for (const number of chosen) {
    if (signal.aborted) return;
    const lock = await acquireLock(taskFile(results, { number }), `task ${number}`);
    try {
      const ends = AbortSignal.any([signal, lock.lost]);
      failed += await runTask(plan.tasks[number]!, plan, { ...options, signal: ends });
      await lock.check();
    } finally {
      await lock.release();
    }
  }
  if (failed > 0) throw new UserError(`${failed} variants have no row`);
}

/** @returns how many variants failed. */
async function runTask(
  task: AblationTask,
  plan: AblationPlan,
  { results, to, signal }: AblateOptions,
): Promise<number> {
  const { number, data, seed, after } = task;
  const result = await readResult(results, number);
  if (result.done) {
    console.log(`task ${number} is done already`);
    return 0;
  }
  for (const other of after) {
    if ((await readResult(results, other)).done) continue;
    throw new UserError(`task ${number} needs task ${other}, which is not done: run that first`);
  }
  const engine = await startEngine(task.needs.engine, console.log);
  const dataset = await loadData(data, plan.imageSize);
  const known = [...result.rows, ...(await readRows(to))];
  const context: Omit<TaskContext, 'real'> = {
    ...plan,
    ...{ seed, data, backend: task.needs.engine, engine: engine.name },
    ...{ machine: describeMachine(engine), signal },
  };
  if (task.kind === 'warm-up') await makeWarmUp({ ...context, real: await realSide(dataset) });
  let failed = 0;
  for (const variant of task.variants) {
    if (signal.aborted) return failed;
    const key = keyOf(variant, { ...context, real: { dataset } });
    if (findRow(result.rows, key)) continue;
    console.log(`task ${number}: ${variant} of ${key.data}, seed ${seed}`);
    try {
      const row =
        checkedRow(findRow(known, key), { variant, warmUp: plan.warmUp, path: to }) ??
        (await makeRow(variant, { ...context, real: await realSide(dataset) }));
      if (!row || signal.aborted) return failed;
      result.rows.push(row);
      await writeResult(results, result);
      console.log(`task ${number}: ${variant} has ${row.iterations} iterations, measured`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      console.error(`task ${number}: ${variant} failed: ${error.message}`);
      failed++;
    }
  }
  if (failed === 0 && !signal.aborted) await writeResult(results, { ...result, done: true });
  return failed;
}

/** Sets that this process has read, by path: all tasks of a plan have one size. */
const datasets = new Map<string | null, Promise<Dataset>>();

function loadData(path: string | null, imageSize: number): Promise<Dataset> {
  const loaded =
    datasets.get(path) ?? loadDataset({ path: path ?? undefined, imageSize, log: console.log });
  datasets.set(path, loaded);
  return loaded;
}

const realSides = new Map<Dataset, Promise<RealSide>>();

/** Once in a process, and before the first variant of a set: none pays for it. */
function realSide(dataset: Dataset): Promise<RealSide> {
  const made = realSides.get(dataset);
  if (made) return made;
  console.log('measuring the real images (once)');
  const side = prepareReal(dataset, MEASURE_SEED);
  realSides.set(dataset, side);
  return side;
}

/** @throws UserError when a row was made before the variant's options were changed. */
export function checkedRow(
  row: AblationRow | undefined,
  { variant, warmUp, path }: { variant: VariantName; warmUp: number | null; path: string },
): AblationRow | undefined {
  if (!row || row.command.endsWith(flags(chosenOptions(variant, warmUp)))) return row;
  throw new UserError(
    `${path} has a row of ${variant} that was trained otherwise than it would be now: ` +
      `remove the row, or name another file by --to; the row's command: ${row.command}`,
  );
}
