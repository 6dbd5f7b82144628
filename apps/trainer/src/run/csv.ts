/**
 * Tables that grow with a run: CSV, a row for an iteration, its number in the first column.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { writeFileWhole } from '@killme/command-line';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { appendToFile } from './folder.ts';

/** Begins a table, or cuts one back to the iterations before `start`, which will come again. */
export async function startTable(
  path: string,
  columns: readonly string[],
  start: number,
): Promise<void> {
  const old = start === 0 ? [] : parseRows(await readFile(path, 'utf8').catch(() => ''));
  const kept = old.filter(([iteration]) => Number(iteration) < start);
  await writeFileWhole(path, stringify([['iteration', ...columns], ...kept]));
}

/** Adds a row; numbers are kept to 7 digits, as float32 has them. What there is none of stays empty. */
export async function appendRow<Column extends string>(
  path: string,
  columns: readonly Column[],
  iteration: number,
  values: { readonly [Name in Column]?: number | undefined },
): Promise<void> {
  const cells = columns.map((column) => {
    const value = values[column];
    return value === undefined ? undefined : Number(value.toPrecision(7));
  });
  await appendToFile(path, stringify([[iteration, ...cells]]));
}

/**
 * The rows below the header that are whole: one that a kill has cut off has no end of line, and its last
 * cell may be another number.
 */
function parseRows(text: string): string[][] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return parse(whole, { from_line: 2, relax_column_count: true });
}

/**
 * Reads a table by column; a row that was cut off by a kill, and one that there is not yet, are none.
 * An empty cell, or one beyond the end of its row, is NaN.
 */
export async function readTable<Column extends string>(
  path: string,
  columns: readonly Column[],
): Promise<Record<Column | 'iteration', Float64Array>> {
  const rows = parseRows(await readFile(path, 'utf8'));
  const all = ['iteration' as const, ...columns];
  const table = Object.fromEntries(
    all.map((column) => [column, new Float64Array(rows.length)]),
  ) as Record<Column | 'iteration', Float64Array>;
  for (const [i, cells] of rows.entries()) {
    for (const [j, column] of all.entries()) table[column][i] = Number(cells[j] || Number.NaN);
  }
  return table;
}
