/**
 * `npm run check:engine`: is an engine to be trusted? Its gradients against tfjs's cpu backend, and
 * the article's training against traces of real Keras.
 *
 * @module
 */
import { basename, resolve } from 'node:path';
import { checkGradients, GRADIENT_BOUND } from './gradients.ts';
import { type ReplayRow, replayTrace } from './replay.ts';
import { readTrace } from './trace.ts';

/** Recorded by test/reference/record_trace.py. */
export const COMMITTED_TRACES = ['narrow', 'narrow-no-dropout', 'full'].map((name) =>
  resolve(import.meta.dirname, '../../../../test/reference/traces', name),
);

/** The project's own bound on losses (relative) and weights (absolute) of a replay. */
const REPLAY_BOUND = 1e-4;

/**
 * Where float32 itself scatters more than the bound (equally right runs of Keras, recorded with the
 * trace as `rounding`), a replay may be this many times as far.
 */
const ROUNDING_FACTOR = 4;

/** The largest difference that a row may have. */
export function replayBound({ rounding }: ReplayRow): number {
  return Math.max(REPLAY_BOUND, ROUNDING_FACTOR * rounding);
}

/**
 * Prints a table of gradients and one of each trace, on the engine that is current.
 * @param traces folders (see test/reference/README.md)
 * @returns whether all is within bounds.
 */
export async function checkEngine(traces: readonly string[]): Promise<boolean> {
  const gradients = await checkGradients();
  printTable('gradients, against tfjs on the cpu', [
    ['operation', 'difference', 'bound', ''],
    ...gradients.map(({ operation, difference }) => [
      operation,
      difference.toExponential(1),
      GRADIENT_BOUND.toExponential(0),
      difference <= GRADIENT_BOUND ? 'ok' : 'TOO FAR',
    ]),
  ]);
  let ok = gradients.every(({ difference }) => difference <= GRADIENT_BOUND);
  for (const folder of traces) {
    const trace = await readTrace(folder);
    const rows = worstRows(await replayTrace(trace, console.log));
    ok &&= rows.every((row) => row.difference <= replayBound(row));
    printTable(
      `${basename(folder)}: ${trace.iterations.length} iterations of Keras ${trace.keras}, ` +
        `image ${trace.imageSize}, width ${trace.width}, batch ${trace.batchSize}`,
      [
        ['quantity', 'difference', 'bound', 'rounding', 'at', ''],
        ...rows.map((row) => [
          row.quantity,
          row.difference.toExponential(1),
          replayBound(row).toExponential(1),
          row.rounding.toExponential(1),
          `${row.iteration} ${row.part}`,
          row.difference <= replayBound(row) ? 'ok' : 'TOO FAR',
        ]),
      ],
    );
  }
  return ok;
}

/** Of each quantity the row nearest to its bound, or furthest beyond. */
function worstRows(rows: readonly ReplayRow[]): ReplayRow[] {
  const strain = (row: ReplayRow) => row.difference / replayBound(row);
  const worst = new Map<string, ReplayRow>();
  for (const row of rows) {
    const seen = worst.get(row.quantity);
    if (!seen || strain(row) > strain(seen)) worst.set(row.quantity, row);
  }
  return [...worst.values()];
}

function printTable(title: string, table: readonly (readonly string[])[]): void {
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  console.log(`\n${title}`);
  for (const row of table) {
    console.log(`  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
  }
}
