import { appendFile, readFile } from 'node:fs/promises';
import { writeFileWhole } from './run-folder.ts';

/** The numbers of one iteration, read from the device. */
export interface IterationMetrics {
  realLoss: number;
  fakeLoss: number;
  realAccuracy: number;
  fakeAccuracy: number;
  generatorLoss: number;
  seconds: number;
}

const COLUMNS = [
  'realLoss',
  'fakeLoss',
  'realAccuracy',
  'fakeAccuracy',
  'generatorLoss',
  'seconds',
] as const satisfies (keyof IterationMetrics)[];

/** Begins `metrics.csv`, or cuts one back to the iterations before `start`, which will come again. */
export async function startMetricsFile(path: string, start: number): Promise<void> {
  const header = ['iteration', ...COLUMNS].join(',');
  const old =
    start === 0 ? [] : (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(1);
  const kept = old.filter((row) => row !== '' && Number(row.split(',')[0]) < start);
  await writeFileWhole(path, [header, ...kept, ''].join('\n'));
}

/** Adds the row of one iteration. */
export async function appendMetrics(
  path: string,
  iteration: number,
  metrics: IterationMetrics,
): Promise<void> {
  const row = [iteration, ...COLUMNS.map((column) => Number(metrics[column].toPrecision(7)))];
  await appendFile(path, `${row.join(',')}\n`);
}

/** All of `metrics.csv` by column; an iteration is an index, for a run has a row for each. */
export type MetricsHistory = Record<keyof IterationMetrics, Float64Array>;

/** Reads `metrics.csv`; a row that was cut off by a kill, and one that there is not yet, are none. */
export async function readMetrics(path: string): Promise<MetricsHistory> {
  const rows = (await readFile(path, 'utf8')).split('\n').slice(1, -1);
  const history = Object.fromEntries(
    COLUMNS.map((column) => [column, new Float64Array(rows.length)]),
  ) as MetricsHistory;
  for (const [i, row] of rows.entries()) {
    const cells = row.split(',');
    for (const [j, column] of COLUMNS.entries()) history[column][i] = Number(cells[j + 1]);
  }
  return history;
}

/**
 * The article's line: `"%d [D loss: %f, acc.: %.2f%%] [G loss: %f]"`, D's numbers being the mean of
 * its two half-batches.
 */
export function formatLogLine(iteration: number, metrics: IterationMetrics): string {
  const loss = (metrics.realLoss + metrics.fakeLoss) / 2;
  const accuracy = (metrics.realAccuracy + metrics.fakeAccuracy) / 2;
  return (
    `${iteration} [D loss: ${loss.toFixed(6)}, acc.: ${(100 * accuracy).toFixed(2)}%] ` +
    `[G loss: ${metrics.generatorLoss.toFixed(6)}]`
  );
}
