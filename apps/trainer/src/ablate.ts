/**
 * `npm run ablate`: what each method of preset `lite` is worth. Every variant trains for the same
 * CPU time, and is then measured; a row for each goes to a CSV.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { loadDataset } from '@killme/data';
import { UserError } from '@killme/model';
import { z } from 'zod';
import { readNewestCheckpoint } from './checkpoint.ts';
import { readMetrics } from './metrics.ts';
import { flagValue, type GivenOptions, kebab, userPath } from './options.ts';
import { drawImages, findMadeImages } from './quality/made-images.ts';
import { measure } from './quality/measure-quality.ts';
import type { QualityReport } from './quality/quality-report.ts';
import { type RunFolder, runFolder, writeFileWhole } from './run-folder.ts';
import { type EngineChoice, startEngine } from './start-engine.ts';
import { train } from './train.ts';

/** Training options by the name of what they try; each is `lite` but for one thing. */
export const VARIANTS = {
  lite: {},
  article: { preset: 'article' },
  'no-penalty': { gradientPenalty: 0 },
  'penalty-10': { gradientPenalty: 10 },
  'no-minibatch-deviation': { minibatchDeviation: false },
  'no-augment': { augment: [] },
  'augment-color': { augment: ['color', 'translation', 'cutout'] },
  logistic: { loss: 'logistic' },
  hinge: { loss: 'hinge' },
  'no-average': { averageDecay: 0 },
  'batch-32': { batch: 32 },
} satisfies Record<string, GivenOptions>;

export type VariantName = keyof typeof VARIANTS;

export const VARIANT_NAMES = Object.keys(VARIANTS) as VariantName[];

/** Where the rows go unless told. */
export const ABLATION_CSV = resolve(import.meta.dirname, '../../../docs/ablation.csv');

export interface AblateOptions {
  variants: readonly VariantName[];
  /** Each trains for so long: user and system time of all threads, starting and samples included. */
  cpuSeconds: number;
  seed: number;
  /** As `--data` of training; without it the stand-in characters. */
  data?: string | undefined;
  backend: EngineChoice;
  /** Images that are drawn and measured. */
  count: number;
  /** The CSV; rows that it has are not made again. */
  to: string;
}

/**
 * Trains and measures every variant that the CSV has no row of. Stopped by `signal` it goes on where
 * it was when called again; a variant that was killed begins anew, for its time is not known.
 */
export async function ablate(options: AblateOptions, signal: AbortSignal): Promise<void> {
  for (const variant of options.variants) {
    if (await hasRow(options, variant)) {
      console.log(`${variant}: ${options.to} has it`);
      continue;
    }
    const run = runFolder(`ablation-${basename(options.to, '.csv')}-${variant}-${options.seed}`);
    const given = variantOptions(variant, options);
    const spent = await trainFor(run, given, options.cpuSeconds, signal);
    if (signal.aborted) return;
    const report = await measureRun(run, options);
    const row = ablationRow({ variant, options, spent, report, ...(await lastSteps(run)) });
    await addRow(options.to, { ...row, command: trainCommand(given) });
    console.log(`${variant}: ${spent.iteration} iterations, measured`);
  }
}

/** The iterations are out of reach: the time ends a variant. */
const ENDLESS = 10_000_000;

/** What a variant is trained with. */
export function variantOptions(
  variant: VariantName,
  { seed, data, backend }: Pick<AblateOptions, 'seed' | 'data' | 'backend'>,
): GivenOptions {
  return {
    preset: 'lite',
    seed,
    ...(data === undefined ? {} : { data }),
    backend,
    ...VARIANTS[variant],
  };
}

const spentSchema = z.strictObject({
  /** Of all that has been trained so far, in sum. */
  cpuSeconds: z.number(),
  iteration: z.number().int(),
});

type Spent = z.infer<typeof spentSchema>;

/** Trains a variant, or goes on with it, until its CPU time is used up or `signal` asks to stop. */
async function trainFor(
  run: RunFolder,
  given: GivenOptions,
  cpuSeconds: number,
  signal: AbortSignal,
): Promise<Spent> {
  const file = join(run.root, 'ablation.json');
  const before = await readSpent(file);
  if (before && before.cpuSeconds >= cpuSeconds) return before;
  if (!before && existsSync(run.root)) {
    console.log(`${run.name} was cut off: it begins anew`);
    await rm(run.root, { recursive: true });
  }
  const clock = startCpuClock(before?.cpuSeconds ?? 0);
  const budget = new AbortController();
  const timer = setInterval(() => clock() >= cpuSeconds && budget.abort(), 50);
  try {
    const options = { ...given, name: run.name, iterations: ENDLESS, measureEvery: 0 };
    await rm(file, { force: true });
    await train(options, {
      resume: before !== undefined,
      signal: AbortSignal.any([signal, budget.signal]),
    });
  } finally {
    clearInterval(timer);
  }
  const checkpoint = await readNewestCheckpoint(run.checkpoints, console.warn);
  const spent = { cpuSeconds: clock(), iteration: checkpoint?.iteration ?? 0 };
  await writeFileWhole(file, JSON.stringify(spent));
  return spent;
}

/** @returns a clock of this process's CPU seconds that stands at `start` now. */
function startCpuClock(start: number): () => number {
  const began = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(began);
    return start + (user + system) / 1e6;
  };
}

async function readSpent(file: string): Promise<Spent | undefined> {
  if (!existsSync(file)) return undefined;
  return spentSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

async function measureRun(run: RunFolder, { seed, data, backend, count }: AblateOptions) {
  const engine = await startEngine(backend, console.log);
  const made = await findMadeImages(run.name);
  if (made.kind !== 'generator') throw new UserError(`${run.root} is no run`);
  const { network, description } = made.generator;
  const real = await loadDataset({
    path: data === undefined ? undefined : userPath(data),
    imageSize: network.outputShape[0]!,
    log: console.log,
  });
  const fake = await drawImages(made.generator, count);
  const { report } = await measure({ real, fake, description, seed });
  return { ...report, engine: engine.name };
}

/** Steps over which D's part is averaged. */
const LAST_STEPS = 100;

/** How often D was right in the last steps. */
async function lastSteps(run: RunFolder): Promise<{ accuracy: number }> {
  const { realAccuracy, fakeAccuracy } = await readMetrics(run.metrics);
  const last = [...realAccuracy.slice(-LAST_STEPS), ...fakeAccuracy.slice(-LAST_STEPS)];
  return { accuracy: last.reduce((sum, value) => sum + value, 0) / last.length };
}

/** One row; docs/quality.md, "What helped", says what the columns are. */
function ablationRow({
  variant,
  options,
  spent,
  report: { slicedWasserstein, random, classifier, nearest, engine },
  accuracy,
}: {
  variant: VariantName;
  options: AblateOptions;
  spent: Spent;
  report: QualityReport & { engine: string };
  accuracy: number;
}): Record<Exclude<Column, 'command'>, string | number> {
  const { model, floor } = random;
  return {
    variant,
    seed: options.seed,
    cpuSeconds: options.cpuSeconds,
    engine,
    iterations: spent.iteration,
    accuracy,
    swd: meanDistance(slicedWasserstein.model),
    swdFloor: meanDistance(slicedWasserstein.floor),
    rkid: model.kernelDistance.mean,
    rkidDeviation: model.kernelDistance.deviation,
    rkidFloor: floor.kernelDistance.mean,
    precision: model.precision,
    recall: model.recall,
    density: model.density,
    coverage: model.coverage,
    coverageFloor: floor.coverage,
    rarestClass: Math.min(...(classifier?.classes.map(({ made, real }) => made / real) ?? [])),
    nearestRatio: nearest.ratio,
  };
}

const meanDistance = (bands: readonly { distance: number }[]) =>
  bands.reduce((sum, { distance }) => sum + distance, 0) / bands.length;

/** The columns of the CSV. The first three name a row. */
export const COLUMNS = [
  'variant',
  'seed',
  'cpuSeconds',
  'engine',
  'iterations',
  'accuracy',
  'swd',
  'swdFloor',
  'rkid',
  'rkidDeviation',
  'rkidFloor',
  'precision',
  'recall',
  'density',
  'coverage',
  'coverageFloor',
  'rarestClass',
  'nearestRatio',
  'command',
] as const;

type Column = (typeof COLUMNS)[number];

async function hasRow({ to, seed, cpuSeconds }: AblateOptions, variant: VariantName) {
  const text = existsSync(to) ? await readFile(to, 'utf8') : '';
  return text.split('\n').some((line) => line.startsWith(`${variant},${seed},${cpuSeconds},`));
}

async function addRow(to: string, row: Record<Column, string | number>): Promise<void> {
  if (!existsSync(to)) await writeFileWhole(to, `${COLUMNS.join(',')}\n`);
  await appendFile(to, `${COLUMNS.map((column) => cell(row[column])).join(',')}\n`);
}

/** Of figures four digits; text with a comma in quotes (RFC 4180). */
function cell(value: string | number): string {
  if (typeof value === 'string') return value.includes(',') ? `"${value}"` : value;
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}

/** What makes the same run by hand, but for its length. */
export function trainCommand(given: GivenOptions): string {
  const flags = Object.entries(given).map(([key, value]) => `--${kebab(key)} ${flagValue(value)}`);
  return `npm run train -- ${flags.join(' ')}`;
}
