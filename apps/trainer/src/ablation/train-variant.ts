/**
 * One run of the ablation: a variant is trained, from the warm-up that it shares where it has one, and
 * measured.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { writeFileWhole } from '@killme/command-line';
import type { Dataset } from '@killme/data';
import { UserError } from '@killme/model';
import type { ImageSize } from '@killme/model/training';
import { z } from 'zod';
import { findMadeImages, renderSeeds } from '../quality/made-images.ts';
import { measure, measureWalks, type RealSide } from '../quality/measure-quality.ts';
import type { QualityReport } from '../quality/quality-report.ts';
import { readNewestCheckpoint, type TrainedSoFar } from '../run/checkpoint.ts';
import { startCpuBudget } from '../run/cpu-budget.ts';
import { type RunFolder, runFolder } from '../run/folder.ts';
import { readMetrics } from '../run/metrics.ts';
import { type GivenOptions, resolveOptions } from '../run/options.ts';
import { readRunRecord, writeRunRecord } from '../run/record.ts';
import { train } from '../train/train.ts';
import { type Budget, formatBudget, shortBudget } from './budget.ts';
import type { AblationRow, RowKey } from './csv.ts';
import {
  chosenOf,
  chosenOptions,
  sharesWarmUp,
  trainCommand,
  type VariantName,
  variantOptions,
} from './variants.ts';

/** What all runs of a task have in common. */
export interface TaskContext {
  seed: number;
  data: string | null;
  imageSize: ImageSize;
  warmUp: number | null;
  backend: NonNullable<GivenOptions['backend']>;
  budget: Budget;
  count: number | null;
  saveEvery: number | null;
  real: RealSide;
  engine: string;
  machine: { host: string; device: string; version: string };
  signal: AbortSignal;
}

/** The images of a row: the name of a dataset, and their size where it is not the article's. */
export function nameData({ name, imageSize }: Pick<Dataset, 'name' | 'imageSize'>): string {
  return imageSize === 128 ? name : `${name}, ${imageSize} × ${imageSize}`;
}

/** What names the row of a variant. */
export function keyOf(
  variant: VariantName,
  {
    real,
    seed,
    budget,
    warmUp,
  }: Pick<TaskContext, 'seed' | 'budget' | 'warmUp'> & {
    real: Pick<RealSide, 'dataset'>;
  },
): RowKey {
  return {
    ...{ variant, data: nameData(real.dataset), seed, budget: formatBudget(budget) },
    warmUp: chosenOptions(variant, warmUp).warmUp ?? 0,
  };
}

/** @returns undefined when `signal` asked to stop. */
export async function makeRow(
  variant: VariantName,
  context: TaskContext,
): Promise<AblationRow | undefined> {
  const { real, count, machine, engine, signal } = context;
  const key = keyOf(variant, context);
  const run = runFolder(ablationRunName(key));
  const given = variantOptions(variant, context);
  if (sharesWarmUp(variant) && !existsSync(run.options)) {
    const warmUp = await makeWarmUp(context);
    if (signal.aborted) return undefined;
    await beginFrom(warmUp, run, given);
  }
  const { iteration } = await trainFor({ run, given }, context);
  if (signal.aborted) return undefined;
  const report = await measureRun(run, real, count ?? undefined);
  return {
    ...key,
    engine,
    ...machine,
    device: (await readDevices(run)).join(' + '),
    iterations: iteration,
    accuracy: await lastAccuracy(run),
    ...scores(report),
    command: trainCommand(given),
  };
}

/** Trains what variants with D's methods share; done already it is not trained again. */
export async function makeWarmUp(context: TaskContext): Promise<RunFolder> {
  const run = warmUpRun(context);
  const given = variantOptions('lite', context);
  await trainFor({ run, given, until: resolveOptions(given).methods!.warmUp }, context);
  return run;
}

function warmUpRun(context: TaskContext): RunFolder {
  return runFolder(ablationRunName({ ...keyOf('lite', context), variant: 'warm-up' }));
}

/** Of a dataset's name in that of a run, which may have 64 letters at most. */
const DATA_LETTERS = 6;

/**
 * A name that a run may have, whatever the dataset is called: the start of that, a hash of it and of the
 * warm-up, variant, budget and seed.
 */
export function ablationRunName({ variant, data, seed, budget, warmUp }: RowKey): string {
  const letters = data.replace(/[^\w.-]/g, '-').slice(0, DATA_LETTERS);
  const hash = createHash('sha256').update(`${data} ${warmUp}`).digest('hex').slice(0, 4);
  return `ablation-${letters}-${hash}-${variant}-${shortBudget(budget)}-${seed}`;
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
  const isLock = (path: string) => basename(path).startsWith(basename(warmUp.lock));
  await cp(warmUp.root, copy.root, { recursive: true, filter: (path) => !isLock(path) });
  const record = await readRunRecord(warmUp);
  const { methods } = resolveOptions(given);
  const options = { ...record.options, name: run.name, ...(methods && { methods }) };
  await writeRunRecord(copy, { ...record, options });
  await rename(copy.root, run.root);
}

/** The iterations are out of reach: the time ends a variant. */
const ENDLESS = 10_000_000;

/**
 * Trains a variant, or goes on with it from its newest checkpoint, until its budget is used up or the
 * signal asks to stop. What a killed process trained after that checkpoint counts for nothing.
 * @param run.until the iterations to end after, if the budget suffices
 */
async function trainFor(
  { run, given, until = ENDLESS }: { run: RunFolder; given: GivenOptions; until?: number },
  { budget, saveEvery, real, machine, signal }: TaskContext,
): Promise<TrainedSoFar> {
  if (existsSync(run.options)) await checkRun(run, given, real.dataset.fingerprint);
  const before = await trainedSoFar(run, budget);
  const iterations = Math.min(until, 'iterations' in budget ? budget.iterations : ENDLESS);
  const total = 'cpuSeconds' in budget ? budget.cpuSeconds : undefined;
  const isSpent = total !== undefined && before.cpuSeconds >= total;
  if (isSpent || before.iteration >= iterations) return before;
  const options = {
    ...given,
    ...{ name: run.name, iterations, measureEvery: 0 },
    ...(saveEvery === null ? {} : { saveEvery }),
  };
  const cpuBudget = total === undefined ? {} : { budget: startCpuBudget(total, before.cpuSeconds) };
  await train(options, { begin: 'start-or-resume', signal, ...cpuBudget });
  await addDevice(run, machine.device);
  const after = await trainedSoFar(run, budget);
  if (after.iteration === 0 && !signal.aborted) {
    throw new UserError(`not one iteration fits into ${formatBudget(budget)}: give more`);
  }
  return after;
}

/** @throws UserError when it is not known how much CPU time was spent on a run. */
async function trainedSoFar(run: RunFolder, budget: Budget) {
  const checkpoint = await readNewestCheckpoint(run.checkpoints, console.warn);
  if (!checkpoint) return { iteration: 0, cpuSeconds: 0 };
  const { iteration, cpuSeconds } = checkpoint;
  if (cpuSeconds !== undefined || 'iterations' in budget) {
    return { iteration, cpuSeconds: cpuSeconds ?? 0 };
  }
  throw new UserError(
    `${run.root} does not say how much CPU time it took: remove it, or rename it`,
  );
}

const devicesSchema = z.array(z.string());

const devicesFile = ({ root }: RunFolder) => join(root, 'devices.json');

/** The devices that a run was trained on; a warm-up's are those of its variants too. */
async function readDevices(run: RunFolder): Promise<string[]> {
  if (!existsSync(devicesFile(run))) return [];
  return devicesSchema.parse(JSON.parse(await readFile(devicesFile(run), 'utf8')));
}

async function addDevice(run: RunFolder, device: string): Promise<void> {
  const devices = new Set([...(await readDevices(run)), device]);
  await writeFileWhole(devicesFile(run), JSON.stringify([...devices]));
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

async function measureRun(
  run: RunFolder,
  real: RealSide,
  count = real.halves.heldOut.length,
): Promise<QualityReport> {
  const made = await findMadeImages(run.name);
  if (made.kind !== 'generator') throw new UserError(`${run.root} is no run`);
  const { generator } = made;
  const fake = await renderSeeds(generator, count);
  const { report } = await measure({ real, fake, description: generator.description });
  return { ...report, walks: await measureWalks(real, generator) };
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

function scores(report: QualityReport) {
  const { slicedWasserstein, random, parts, clouds, classifier, nearest } = report;
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
    parts: parts?.model,
    partsFloor: parts?.floor,
    clouds: clouds?.model,
    cloudsFloor: clouds?.floor,
    ...walkScores(report),
    rarestClass: fractions && Math.min(...fractions),
    nearestRatio: nearest.ratio,
    nearestFloor: nearest.heldOutRatio,
  };
}

/** Nothing where no seed is precise: a ratio to none is not a number. */
function walkScores({ walks = [], random: { model } }: QualityReport) {
  const within = walks.find(({ kind }) => kind === 'within');
  const between = walks.find(({ kind }) => kind !== 'within');
  const ratio = (walk: typeof between) =>
    walk && model.precision > 0 ? walk.precision / model.precision : undefined;
  return {
    walkWithin: ratio(within),
    walkBetween: ratio(between),
    largestStep: between?.largestStep,
  };
}

const meanDistance = (bands: readonly { distance: number }[]) =>
  bands.reduce((sum, { distance }) => sum + distance, 0) / bands.length;
