import { appendRow, readTable, startTable } from './csv.ts';

/** What the step of an iteration took, read from the device; losses that the step did not compute are absent. */
export interface IterationLosses {
  realLoss?: number;
  fakeLoss?: number;
  realAccuracy?: number;
  fakeAccuracy?: number;
  generatorLoss?: number;
  /** See gan/reconstruction-loss.ts. */
  reconstructionLoss?: number;
}

/** The numbers of one iteration. */
export interface IterationMetrics extends IterationLosses {
  seconds: number;
}

const COLUMNS = [
  'realLoss',
  'fakeLoss',
  'realAccuracy',
  'fakeAccuracy',
  'generatorLoss',
  'seconds',
  'reconstructionLoss', // at the end: the tables of older versions do not have it
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

/**
 * All of `metrics.csv` by column; an iteration is an index, for a run has a row for each. NaN where its
 * step took nothing of the kind.
 */
export type MetricsHistory = Record<keyof IterationMetrics, Float64Array>;

/** Reads `metrics.csv`; a row that was cut off by a kill, and one that there is not yet, are none. */
export function readMetrics(path: string): Promise<MetricsHistory> {
  return readTable(path, COLUMNS);
}

/**
 * The article's line: `"%d [D loss: %f, acc.: %.2f%%] [G loss: %f]"`, D's numbers being the mean of
 * its two half-batches. A reconstruction loss follows where there is one; in the warm-up it stands alone.
 */
export function formatLogLine(iteration: number, metrics: IterationMetrics): string {
  const { realLoss, fakeLoss, realAccuracy, fakeAccuracy, generatorLoss, reconstructionLoss } =
    metrics;
  const loss = mean(realLoss, fakeLoss);
  const accuracy = mean(realAccuracy, fakeAccuracy);
  const parts = [`${iteration}`];
  if (loss === undefined || accuracy === undefined) parts.push('[warm-up]');
  else parts.push(`[D loss: ${loss.toFixed(6)}, acc.: ${(100 * accuracy).toFixed(2)}%]`);
  if (generatorLoss !== undefined) parts.push(`[G loss: ${generatorLoss.toFixed(6)}]`);
  if (reconstructionLoss !== undefined)
    parts.push(`[reconstruction loss: ${reconstructionLoss.toFixed(6)}]`);
  return parts.join(' ');
}

/** Of D's two half-batches; there is none where they are missing. */
export function mean(real: number | undefined, fake: number | undefined): number | undefined {
  return real === undefined || fake === undefined ? undefined : (real + fake) / 2;
}
