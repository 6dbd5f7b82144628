import { appendRow, readTable, startTable } from '../run/csv.ts';

const COLUMNS = [
  'kernelDistance',
  'precision',
  'recall',
  'density',
  'coverage',
  'nearestRatio',
  'clouds',
  'walkPrecision',
  'walkCoverage',
  'walkPathLength',
  'walkLargestStep',
  'kernelDistanceFloor',
  'precisionFloor',
  'recallFloor',
  'densityFloor',
  'coverageFloor',
  'cloudsFloor',
  'parts',
  'partsFloor',
] as const;

/** Those that some datasets have none of: see `compareClouds`. */
type Optional = 'clouds' | 'cloudsFloor';

/**
 * Figures of a run's images at one iteration, on random features; floors are of held-out real ones. Those of
 * walks are of the middles of walks between classes, or between any two seeds where there are none.
 */
export type RunQuality = Record<Exclude<(typeof COLUMNS)[number], Optional>, number> &
  Record<Optional, number | undefined>;

/** Begins `quality.csv`, or cuts one back to the iterations before `start`, which will come again. */
export function startQualityFile(path: string, start: number): Promise<void> {
  return startTable(path, COLUMNS, start);
}

export function appendQuality(path: string, iteration: number, scores: RunQuality): Promise<void> {
  return appendRow(path, COLUMNS, iteration, scores);
}

/** All of `quality.csv` by column. */
export type QualityHistory = Record<keyof RunQuality | 'iteration', Float64Array>;

/** A run from before there were measurements has an empty history. */
export async function readQuality(path: string): Promise<QualityHistory> {
  return readTable(path, COLUMNS).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    const none = ['iteration', ...COLUMNS].map((column) => [column, new Float64Array()]);
    return Object.fromEntries(none) as QualityHistory;
  });
}

/** The line for the log: each figure, and in brackets that of held-out real images. */
export function formatQuality(iteration: number, scores: RunQuality): string {
  const figures = (
    [
      ['rKID', 'kernelDistance'],
      ['precision', 'precision'],
      ['recall', 'recall'],
      ['density', 'density'],
      ['coverage', 'coverage'],
    ] as const
  ).map(
    ([label, key]) => `${label} ${scores[key].toFixed(3)} (${scores[`${key}Floor`].toFixed(3)})`,
  );
  const { clouds, cloudsFloor, nearestRatio, walkPrecision, walkCoverage } = scores;
  if (clouds !== undefined && cloudsFloor !== undefined) {
    figures.push(`clouds ${clouds.toFixed(3)} (${cloudsFloor.toFixed(3)})`);
  }
  figures.push(`parts ${scores.parts.toFixed(3)} (${scores.partsFloor.toFixed(3)})`);
  figures.push(
    `half way precision ${walkPrecision.toFixed(3)}, coverage ${walkCoverage.toFixed(3)}`,
  );
  return `${iteration} quality: ${figures.join(', ')}, nearest ${nearestRatio.toFixed(2)}`;
}
