/**
 * Tables that grow with a run: CSV, a row for an iteration, its number in the first column.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { appendToFile, writeFileWhole } from './folder.ts';

/** Begins a table, or cuts one back to the iterations before `start`, which will come again. */
export async function startTable(
  path: string,
  columns: readonly string[],
  start: number,
): Promise<void> {
  const header = ['iteration', ...columns].join(',');
  const old = start === 0 ? [] : rowsOf(await readFile(path, 'utf8').catch(() => ''));
  const kept = old.filter((row) => Number(row.split(',')[0]) < start);
  await writeFileWhole(path, [header, ...kept, ''].join('\n'));
}

/** Adds a row; numbers are kept to 7 digits, as float32 has them. What there is none of stays empty. */
export async function appendRow<Column extends string>(
  path: string,
  columns: readonly Column[],
  iteration: number,
  values: { readonly [Name in Column]?: number },
): Promise<void> {
  const cells = columns.map((column) => {
    const value = values[column];
    return value === undefined ? '' : Number(value.toPrecision(7));
  });
  await appendToFile(path, `${[iteration, ...cells].join(',')}\n`);
}

/** The rows that are whole: one that a kill has cut off has no end of line, and maybe another number. */
const rowsOf = (text: string) => text.split('\n').slice(1, -1);

/**
 * Reads a table by column; a row that was cut off by a kill, and one that there is not yet, are none.
 * An empty cell, or one beyond the end of its row, is NaN.
 */
export async function readTable<Column extends string>(
  path: string,
  columns: readonly Column[],
): Promise<Record<Column | 'iteration', Float64Array>> {
  const rows = rowsOf(await readFile(path, 'utf8'));
  const all = ['iteration' as const, ...columns];
  const table = Object.fromEntries(
    all.map((column) => [column, new Float64Array(rows.length)]),
  ) as Record<Column | 'iteration', Float64Array>;
  for (const [i, row] of rows.entries()) {
    const cells = row.split(',');
    for (const [j, column] of all.entries()) table[column][i] = Number(cells[j] || Number.NaN);
  }
  return table;
}
