/**
 * `npm run ablate`: what each method of preset `lite` is worth. Every variant trains for the same
 * CPU time, and is then measured; a row for each goes to a CSV.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { userPath } from '@killme/command-line';
import { loadDataset } from '@killme/data';
import { UserError } from '@killme/model';
import type { Methods } from '@killme/model/training';
import { z } from 'zod';
import { type EngineChoice, startEngine } from '../engines/start.ts';
import { findMadeImages, renderSeeds } from '../quality/made-images.ts';
import { measure, prepareReal, type RealSide } from '../quality/measure-quality.ts';
import type { QualityReport } from '../quality/quality-report.ts';
import { readNewestCheckpoint } from '../run/checkpoint.ts';
import { startCpuBudget } from '../run/cpu-budget.ts';
import { type RunFolder, runFolder, writeFileWhole } from '../run/folder.ts';
import { readMetrics } from '../run/metrics.ts';
import { flagValue, kebab } from '../run/option-table.ts';
import { type GivenOptions, resolveOptions, type TrainOptions } from '../run/options.ts';
import { readRunRecord, writeRunRecord } from '../run/record.ts';
import { train } from '../train/train.ts';
import { type AblationRow, addRow, findRow, type RowKey, readRows } from './csv.ts';

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
  'no-ema': { emaDecay: 0 },
  'batch-32': { batch: 32 },
  'no-class-condition': { classCondition: false },
  'no-reconstruction': { reconstructionWeight: 0 },
  'no-warm-up': { warmUp: 0 },
  'no-whitening': { latentWhitening: false },
  'learning-rate-4e-4': { learningRate: 4e-4 },
  'learning-rate-2e-3': { learningRate: 2e-3 },
} satisfies Record<string, GivenOptions>;

export type VariantName = keyof typeof VARIANTS;

export const VARIANT_NAMES = Object.keys(VARIANTS) as VariantName[];

/** Where the rows go unless told. */
export const ABLATION_CSV = resolve(import.meta.dirname, '../../../../docs/ablation.csv');

export interface AblateOptions {
  variants: readonly VariantName[];
  /** Each trains for so long: user and system time of all threads, starting and samples included. */
  cpuSeconds: number;
  seeds: readonly number[];
  /** As `--data` of training; without it the stand-in characters. */
  data?: string | undefined;
  backend: EngineChoice;
  /** Images to generate and measure; without it as many as real ones are held out. */
  count?: number | undefined;
  /** The CSV; rows that it has are not made again. */
  to: string;
}

/** How real images are halved, as `npm run metrics` does without `--seed`: one floor for all rows. */
const MEASURE_SEED = 0;

/**
 * Trains and measures every variant that the CSV has no row of: all variants of the first seed, then
 * those of the second, so that whenever it is stopped the variants have about equally many seeds.
 * Stopped by `signal` it goes on where it was when called again; a variant that was killed begins
 * anew, for its time is not known.
 * @throws UserError at the end, when variants failed; the others have their rows.
 */
export async function ablate(options: AblateOptions, signal: AbortSignal): Promise<void> {
  const { backend, to } = options;
  const engine = await startEngine(backend, console.log);
  const dataset = await loadDataset({
    path: options.data === undefined ? undefined : userPath(options.data),
    log: console.log,
  });
  const rows = await readRows(to);
  const keys = rowKeys(options, dataset.name);
  for (const key of keys) checkRow(findRow(rows, key), key.variant, to);
  const missing = keys.filter((key) => !findRow(rows, key));
  console.log(`${to} has ${keys.length - missing.length} of ${keys.length} rows`);
  if (missing.length === 0) return;
  console.log('measuring the real images (once)'); // before the first variant: none pays for it
  const real = await prepareReal(dataset, MEASURE_SEED);
  let failed = 0;
  for (const [i, key] of missing.entries()) {
    if (signal.aborted) return;
    const run = runFolder(ablationRunName(key));
    console.log(`${run.name}: run ${i + 1} of ${missing.length}`);
    try {
      const row = await makeRow({ key, run, options, real, engine: engine.name, signal });
      if (!row) return;
      await addRow(to, row);
      console.log(`${run.name}: ${row.iterations} iterations, measured`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      console.error(`${run.name} failed: ${error.message}`);
      failed++;
    }
  }
  if (failed > 0) throw new UserError(`${failed} of ${missing.length} variants have no row`);
}

/** @throws UserError when a row was made before the variant's options were changed. */
export function checkRow(row: AblationRow | undefined, variant: VariantName, path: string): void {
  if (!row || row.command.endsWith(flags(chosenOptions(variant)))) return;
  throw new UserError(
    `${path} has a row of ${variant} that was trained otherwise than it would be now: ` +
      `remove the row, or name another file by --to; the row's command: ${row.command}`,
  );
}

/** Seed by seed, every variant. */
export function rowKeys(
  { variants, seeds, cpuSeconds }: Pick<AblateOptions, 'variants' | 'seeds' | 'cpuSeconds'>,
  data: string,
): (RowKey & { variant: VariantName })[] {
  return seeds.flatMap((seed) => variants.map((variant) => ({ variant, data, seed, cpuSeconds })));
}

/** What is left of a dataset's name in that of a run, which may have 64 letters at most. */
const DATA_LETTERS = 12;

/** A name that a run may have, whatever the dataset is called. */
export function ablationRunName({ variant, data, seed, cpuSeconds }: RowKey): string {
  const place = data.replace(/[^\w.-]/g, '-').slice(0, DATA_LETTERS);
  return `ablation-${place}-${variant}-${cpuSeconds}-${seed}`;
}

/** @returns undefined when `signal` asked to stop. */
async function makeRow({
  key,
  run,
  options,
  real,
  engine,
  signal,
}: {
  key: RowKey & { variant: VariantName };
  run: RunFolder;
  options: AblateOptions;
  real: RealSide;
  engine: string;
  signal: AbortSignal;
}): Promise<AblationRow | undefined> {
  const given = variantOptions(key.variant, { ...options, seed: key.seed });
  const { fingerprint } = real.dataset;
  const { cpuSeconds } = options;
  if (sharesWarmUp(key.variant) && !existsSync(spentFile(run))) {
    const lite = variantOptions('lite', { ...options, seed: key.seed });
    const warmUp = runFolder(ablationRunName({ ...key, variant: 'warm-up' }));
    const until = resolveOptions(lite).methods!.warmUp;
    await trainFor({ run: warmUp, given: lite, fingerprint, cpuSeconds, until, signal });
    if (signal.aborted) return undefined;
    await beginFrom(warmUp, run, given);
  }
  const spent = await trainFor({ run, given, fingerprint, cpuSeconds, signal });
  if (signal.aborted) return undefined;
  const report = await measureRun(run, real, options.count);
  return {
    ...key,
    engine,
    iterations: spent.iteration,
    accuracy: await lastAccuracy(run),
    ...scores(report),
    command: trainCommand(given),
  };
}

/** Methods that are D's alone, which rests in the warm-up. */
const OF_DISCRIMINATOR: readonly (keyof Methods)[] = [
  'loss',
  'gradientPenalty',
  'minibatchDeviation',
  'augment',
];

/**
 * Whether a variant's warm-up is that of `lite` to the last bit. It is made once then, and its CPU time
 * counts for each variant that goes on from it.
 */
export function sharesWarmUp(variant: VariantName): boolean {
  const fixed = (name: VariantName) => {
    const chosen = Object.entries(chosenOptions(name));
    return chosen.filter(([key]) => !(OF_DISCRIMINATOR as readonly string[]).includes(key));
  };
  return isDeepStrictEqual(fixed(variant), fixed('lite'));
}

/** Begins a run with other methods of D where another has come in its warm-up; what there is of it goes. */
export async function beginFrom(
  warmUp: RunFolder,
  run: RunFolder,
  given: GivenOptions,
): Promise<void> {
  await rm(run.root, { recursive: true, force: true });
  const copy = runFolder(`${run.name}.part`, dirname(run.root));
  await rm(copy.root, { recursive: true, force: true });
  await cp(warmUp.root, copy.root, { recursive: true });
  const record = await readRunRecord(warmUp);
  const { methods } = resolveOptions(given);
  const options = { ...record.options, name: run.name, ...(methods && { methods }) };
  await writeRunRecord(copy, { ...record, options });
  await rename(copy.root, run.root);
}

/** The iterations are out of reach: the time ends a variant. */
const ENDLESS = 10_000_000;

/** What a variant is trained with, said in full so that it holds when defaults change. */
export function variantOptions(
  variant: VariantName,
  { seed, data, backend }: Pick<AblateOptions, 'data' | 'backend'> & { seed: number },
): GivenOptions {
  return {
    seed,
    ...(data === undefined ? {} : { data }),
    backend,
    ...chosenOptions(variant),
  };
}

/** What makes a variant, whatever it learns from. */
function chosenOptions(variant: VariantName): GivenOptions {
  return chosenOf(resolveOptions({ preset: 'lite', ...VARIANTS[variant] }));
}

const chosenOf = ({ preset, batch, learningRate, methods }: TrainOptions): GivenOptions => ({
  preset,
  batch,
  learningRate,
  ...methods,
});

const spentSchema = z.strictObject({
  /** Of all that has been trained so far, in sum. */
  cpuSeconds: z.number(),
  iteration: z.number().int(),
});

type Spent = z.infer<typeof spentSchema>;

const spentFile = ({ root }: RunFolder) => join(root, 'ablation.json');

/**
 * Trains a variant, or goes on with it, until its CPU time is used up or `signal` asks to stop.
 * @param options.fingerprint of the images that it has to be trained on
 * @param options.until the iterations to end after, if the time suffices
 */
async function trainFor({
  run,
  given,
  fingerprint,
  cpuSeconds,
  until = ENDLESS,
  signal,
}: {
  run: RunFolder;
  given: GivenOptions;
  fingerprint: string;
  cpuSeconds: number;
  until?: number;
  signal: AbortSignal;
}): Promise<Spent> {
  const file = spentFile(run);
  const before = await readSpent(file);
  if (before) await checkRun(run, given, fingerprint);
  if (before && (before.cpuSeconds >= cpuSeconds || before.iteration >= until)) return before;
  if (!before && existsSync(run.root)) {
    console.log(`${run.name} was cut off: it begins anew`);
    await rm(run.root, { recursive: true });
  }
  const budget = startCpuBudget(cpuSeconds, before?.cpuSeconds);
  const options = { ...given, name: run.name, iterations: until, measureEvery: 0 };
  await rm(file, { force: true });
  await train(options, { begin: before ? 'resume' : 'start', signal, budget });
  const spentSeconds = budget.spent();
  const checkpoint = await readNewestCheckpoint(run.checkpoints, console.warn);
  if (!checkpoint && !signal.aborted) {
    throw new UserError(`not one iteration fits into ${cpuSeconds} CPU seconds: give more`);
  }
  const spent = { cpuSeconds: spentSeconds, iteration: checkpoint?.iteration ?? 0 };
  await writeFileWhole(file, JSON.stringify(spent));
  return spent;
}

async function readSpent(file: string): Promise<Spent | undefined> {
  if (!existsSync(file)) return undefined;
  return spentSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

/** @throws UserError when the run of that name has been trained otherwise, or on other images. */
async function checkRun(run: RunFolder, given: GivenOptions, fingerprint: string): Promise<void> {
  const { dataset, options } = await readRunRecord(run);
  const isAsWanted = isDeepStrictEqual(chosenOf(options), chosenOf(resolveOptions(given)));
  if (isAsWanted && dataset.fingerprint === fingerprint) return;
  throw new UserError(
    `${run.root} was trained with other options or on other images: remove it, or rename it`,
  );
}

async function measureRun(run: RunFolder, real: RealSide, count = real.halves.heldOut.length) {
  const made = await findMadeImages(run.name);
  if (made.kind !== 'generator') throw new UserError(`${run.root} is no run`);
  const { generator } = made;
  const fake = await renderSeeds(generator, count);
  const { report } = await measure({ real, fake, description: generator.description });
  return report;
}

/** Steps over which D's part is averaged. */
const LAST_STEPS = 100;

/** How often D was right in the last steps; undefined where it took none of them. */
async function lastAccuracy(run: RunFolder): Promise<number | undefined> {
  const { realAccuracy, fakeAccuracy } = await readMetrics(run.metrics);
  const last = [...realAccuracy.slice(-LAST_STEPS), ...fakeAccuracy.slice(-LAST_STEPS)];
  const taken = last.filter(Number.isFinite);
  if (taken.length === 0) return undefined;
  return taken.reduce((sum, value) => sum + value, 0) / taken.length;
}

function scores({ slicedWasserstein, random, classifier, nearest }: QualityReport) {
  const { model, floor } = random;
  const fractions = classifier?.classes.map(({ made, real }) => made / real);
  return {
    swd: meanDistance(slicedWasserstein.model),
    swdFloor: meanDistance(slicedWasserstein.floor),
    rkid: model.kernelDistance.mean,
    rkidDeviation: model.kernelDistance.deviation,
    rkidFloor: floor.kernelDistance.mean,
    precision: model.precision,
    precisionFloor: floor.precision,
    recall: model.recall,
    recallFloor: floor.recall,
    density: model.density,
    densityFloor: floor.density,
    coverage: model.coverage,
    coverageFloor: floor.coverage,
    rarestClass: fractions && Math.min(...fractions),
    nearestRatio: nearest.ratio,
    nearestFloor: nearest.heldOutRatio,
  };
}

const meanDistance = (bands: readonly { distance: number }[]) =>
  bands.reduce((sum, { distance }) => sum + distance, 0) / bands.length;

/** What makes the same run by hand, but for its length. */
export function trainCommand(given: GivenOptions): string {
  return `npm run train -- ${flags(given)}`;
}

function flags(given: GivenOptions): string {
  return Object.entries(given)
    .map(([key, value]) => `--${kebab(key)} ${shellWord(flagValue(value))}`)
    .join(' ');
}

/** As a shell takes it for one word: paths may have spaces. */
const shellWord = (text: string) =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
