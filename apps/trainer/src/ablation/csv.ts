/**
 * The CSV that `npm run ablate` writes: a row for each run that was measured. docs/results.md
 * says what the columns are.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readNamedText, writeFileWhole } from '@killme/command-line';
import { UserError } from '@killme/model';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';

const text = z.string().min(1);
const figure = z.string().min(1).pipe(z.coerce.number<string>());
const figureOrNone = z.union([z.literal('').transform(() => undefined), figure]);

export const rowSchema = z.strictObject({
  variant: text,
  data: text,
  seed: figure,
  /** What each variant has trained for: `3600 CPU seconds`, `500 iterations`. */
  budget: text,
  /** Its iterations; 0 where the variant has none. */
  warmUp: figure,
  engine: text,
  /** Where it was made; rows from before 2026-11-29 do not say. */
  host: z.string(),
  /** GPU, or CPU and cores; several where the run moved. */
  device: z.string(),
  /** Of the code. */
  version: z.string(),
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
  /** From here on to the largest step, rows from before 2026-11-29 have none. */
  parts: figureOrNone,
  partsFloor: figureOrNone,
  /** None where real images have no plain background. */
  clouds: figureOrNone,
  cloudsFloor: figureOrNone,
  /** Precision half way of walks within a class, over that of seeds; none where the data have no classes. */
  walkWithin: figureOrNone,
  /** The same between two classes, or between any two seeds where there are no classes. */
  walkBetween: figureOrNone,
  /** Of 16 steps of those walks, as a share of the way. */
  largestStep: figureOrNone,
  /** None where the data have no classes. */
  rarestClass: figureOrNone,
  nearestRatio: figure,
  nearestFloor: figure,
  command: text,
});

export type AblationRow = z.infer<typeof rowSchema>;

const KEY = ['variant', 'data', 'seed', 'budget', 'warmUp'] as const;

/** What names a row: no two runs of a CSV have all of it in common. */
export type RowKey = Pick<AblationRow, (typeof KEY)[number]>;

const COLUMNS = Object.keys(rowSchema.shape) as (keyof AblationRow)[];

/**
 * All rows, in the order in which they were made; none where there is no file yet.
 * @throws UserError when the file is not such a CSV.
 */
export async function readRows(path: string): Promise<AblationRow[]> {
  if (!existsSync(path)) return [];
  return parseCsv(await readNamedText(path), path).map((record, i) => {
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
  return rows.find((row) => KEY.every((column) => row[column] === key[column]));
}

export const describeKey = ({ variant, data, seed, budget, warmUp }: RowKey) =>
  `${variant} of ${data}, seed ${seed}, ${budget}, warm-up ${warmUp}`;

/** Writes all rows, whole. */
export async function writeRows(path: string, rows: readonly AblationRow[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const cells = rows.map(rounded).map((row) => COLUMNS.map((column) => row[column]));
  await writeFileWhole(path, stringify([COLUMNS, ...cells]));
}

/** Figures to four digits, as the CSV has them. */
export function rounded(row: AblationRow): AblationRow {
  const cells = Object.entries(row).map(([column, value]) => [
    column,
    typeof value !== 'number' || Number.isInteger(value) ? value : Number(value.toPrecision(4)),
  ]);
  return Object.fromEntries(cells) as AblationRow;
}
