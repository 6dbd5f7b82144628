/**
 * The CSV that `npm run ablate` writes: a row for each run that was measured. docs/results.md
 * says what the columns are.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '@killme/model';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';
import { appendToFile, writeFileWhole } from '../run/folder.ts';

const text = z.string().min(1);
const figure = z.string().min(1).pipe(z.coerce.number<string>());
const figureOrNone = z.union([z.literal('').transform(() => undefined), figure]);

const rowSchema = z.strictObject({
  variant: text,
  data: text,
  seed: figure,
  cpuSeconds: figure,
  engine: text,
  iterations: figure,
  /** None where D has only rested. */
  accuracy: figureOrNone,
  swd: figure,
  swdFloor: figure,
  rkid: figure,
  rkidDeviation: figure,
  rkidFloor: figure,
  precision: figure,
  precisionFloor: figure,
  recall: figure,
  recallFloor: figure,
  density: figure,
  densityFloor: figure,
  coverage: figure,
  coverageFloor: figure,
  /** None where the data have no classes. */
  rarestClass: figureOrNone,
  nearestRatio: figure,
  nearestFloor: figure,
  command: text,
});

export type AblationRow = z.infer<typeof rowSchema>;

/** What names a row: no two runs of a CSV have all four in common. */
export type RowKey = Pick<AblationRow, 'variant' | 'data' | 'seed' | 'cpuSeconds'>;

const COLUMNS = Object.keys(rowSchema.shape) as (keyof AblationRow)[];

/**
 * All rows, in the order in which they were made; none where there is no file yet.
 * @throws UserError when the file is not such a CSV.
 */
export async function readRows(path: string): Promise<AblationRow[]> {
  if (!existsSync(path)) return [];
  return parseCsv(await readFile(path, 'utf8'), path).map((record, i) => {
    const parsed = rowSchema.safeParse(record);
    if (parsed.success) return parsed.data;
    const { path: key, message } = parsed.error.issues[0]!;
    const place = key.length > 0 ? `, column ${String(key[0])}` : '';
    throw new UserError(
      `${path} is not what npm run ablate writes (row ${i + 1}${place}: ${message}): name another file`,
    );
  });
}

function parseCsv(csv: string, path: string): unknown[] {
  try {
    return parse(csv, { columns: true, skip_empty_lines: true });
  } catch (error) {
    throw new UserError(`${path} is no CSV: ${(error as Error).message}`);
  }
}

export function findRow(rows: readonly AblationRow[], key: RowKey): AblationRow | undefined {
  return rows.find(
    ({ variant, data, seed, cpuSeconds }) =>
      variant === key.variant &&
      data === key.data &&
      seed === key.seed &&
      cpuSeconds === key.cpuSeconds,
  );
}

/** Adds a row, to a new file where there is none. */
export async function addRow(path: string, row: AblationRow): Promise<void> {
  if (!existsSync(path)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFileWhole(path, stringify([COLUMNS]));
  }
  await appendToFile(path, stringify([COLUMNS.map((column) => cell(row[column]))]));
}

/** Of figures four digits. */
function cell(value: string | number | undefined): string | number | undefined {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  return Number(value.toPrecision(4));
}
