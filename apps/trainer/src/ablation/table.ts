/**
 * `npm run tables`: the rows of the ablation's CSV as the tables of docs/results.md.
 *
 * @module
 */

import { median } from 'simple-statistics';
import { normalised } from '../quality/quality-report.ts';
import { number, numberTable } from '../text/markdown.ts';
import { type AblationRow, findRow } from './csv.ts';

type Figure = {
  [Key in keyof AblationRow]: AblationRow[Key] extends string ? never : Key;
}[keyof AblationRow];

/** A column of figures, with that of real images held out where there is one. */
interface Column {
  title: string;
  figure: Figure;
  floor?: Figure;
}

const SCORES = [
  { title: 'SWD ×10³', figure: 'swd', floor: 'swdFloor' },
  { title: 'rKID', figure: 'rkid', floor: 'rkidFloor' },
  { title: 'precision', figure: 'precision', floor: 'precisionFloor' },
  { title: 'recall', figure: 'recall', floor: 'recallFloor' },
  { title: 'density', figure: 'density', floor: 'densityFloor' },
  { title: 'coverage', figure: 'coverage', floor: 'coverageFloor' },
] as const satisfies Column[];

const COLUMNS: readonly Column[] = [
  { title: 'warm-up', figure: 'warmUp' },
  { title: 'iterations', figure: 'iterations' },
  ...SCORES,
  { title: 'parts', figure: 'parts', floor: 'partsFloor' },
  { title: 'clouds', figure: 'clouds', floor: 'cloudsFloor' },
  { title: 'walks within', figure: 'walkWithin' },
  { title: 'walks between', figure: 'walkBetween' },
  { title: 'largest step', figure: 'largestStep' },
  { title: 'rarest class', figure: 'rarestClass' },
  { title: 'nearest ratio', figure: 'nearestRatio', floor: 'nearestFloor' },
];

/** What scores are normalised by. */
const OTHER = 'article';

/**
 * Rows that can be compared (same data, budget and engine) in a table each: a line for every
 * variant and warm-up, with the median over its seeds and their range. Where the article's row of a seed is there,
 * a second table has `(model − floor) / (article − floor)`, worked out seed by seed.
 */
export function ablationTables(rows: readonly AblationRow[]): string {
  return comparable(rows).map(describeGroup).join('\n\n');
}

function comparable(rows: readonly AblationRow[]): AblationRow[][] {
  const kind = ({ data, budget, engine }: AblationRow) => JSON.stringify([data, budget, engine]);
  return [...Map.groupBy(rows, kind).values()];
}

function describeGroup(rows: AblationRow[]): string {
  const { data, budget, engine } = rows[0]!;
  const alike = ({ variant, warmUp }: AblationRow) => JSON.stringify([variant, warmUp]);
  const variants = [...Map.groupBy(rows, alike).values()].map(
    (own) => [own[0]!.variant, own] as const,
  );
  const seeds = [...new Set(rows.map(({ seed }) => seed))].sort((a, b) => a - b);
  const parts = [
    `${data}, ${budget} on ${engine}, seeds ${seeds.join(', ')}:`,
    figureTable(rows, variants),
  ];
  const scores = normalisedTable(rows, variants);
  if (scores) parts.push('Normalised (0: real images held out, 1: the article):', scores);
  return parts.join('\n\n');
}

type Variants = readonly (readonly [string, AblationRow[]])[];

function figureTable(rows: readonly AblationRow[], variants: Variants): string {
  const values = (some: readonly AblationRow[], figure: Figure) => some.map((row) => row[figure]);
  return numberTable([
    ['variant', 'seeds', ...COLUMNS.map(({ title }) => title)],
    ...variants.map(([variant, own]) => [
      variant,
      String(own.length),
      ...COLUMNS.map(({ figure }) => summary(values(own, figure))),
    ]),
    [
      'real, held out',
      '',
      ...COLUMNS.map(({ floor }) => (floor ? summary(values(rows, floor)) : '')),
    ],
  ]);
}

function normalisedTable(rows: readonly AblationRow[], variants: Variants): string | undefined {
  const lines = variants
    .filter(([variant]) => variant !== OTHER)
    .map(([variant, own]) => {
      const pairs = own.flatMap((row) => {
        const other = findRow(rows, { ...row, variant: OTHER, warmUp: 0 });
        return other ? [{ row, other }] : [];
      });
      const cells = SCORES.map(({ figure, floor }) =>
        summary(pairs.map(({ row, other }) => normalised(row[figure], row[floor], other[figure]))),
      );
      return { variant, count: pairs.length, cells: [String(own[0]!.warmUp), ...cells] };
    })
    .filter(({ count }) => count > 0);
  if (lines.length === 0) return undefined;
  return numberTable([
    ['variant', 'seeds', 'warm-up', ...SCORES.map(({ title }) => title.replace(' ×10³', ''))],
    ...lines.map(({ variant, count, cells }) => [variant, String(count), ...cells]),
  ]);
}

/** The median, and in brackets the range; a dash where there is nothing. */
function summary(values: readonly (number | undefined)[]): string {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return '–';
  const [least, most] = [number(sorted[0]!), number(sorted.at(-1)!)];
  return least === most ? least : `${number(median(sorted))} (${least} to ${most})`;
}
