import { appendRow, readTable, startTable } from './run-table.ts';

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
export function startMetricsFile(path: string, start: number): Promise<void> {
  return startTable(path, COLUMNS, start);
}

/** Adds the row of one iteration. */
export function appendMetrics(
  path: string,
  iteration: number,
  metrics: IterationMetrics,
): Promise<void> {
  return appendRow(path, COLUMNS, iteration, metrics);
}

/** All of `metrics.csv` by column; an iteration is an index, for a run has a row for each. */
export type MetricsHistory = Record<keyof IterationMetrics, Float64Array>;

/** Reads `metrics.csv`; a row that was cut off by a kill, and one that there is not yet, are none. */
export function readMetrics(path: string): Promise<MetricsHistory> {
  return readTable(path, COLUMNS);
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
