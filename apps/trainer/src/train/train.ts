import { existsSync } from 'node:fs';
import { type Dataset, loadDataset } from '@killme/data';
import { UserError } from '@killme/model';
import { type Preset, presetByName } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '../engines/start.ts';
import { exportGenerator } from '../export/export.ts';
import type { Gan } from '../gan/article-step.ts';
import { calibrateEma, copyWeights } from '../gan/ema.ts';
import { disposeNetwork, initializeNetwork, type NetworkState } from '../gan/network-state.ts';
import { whitenLatents, whitensAfter } from '../gan/whitening.ts';
import { appendQuality, formatQuality, startQualityFile } from '../quality/quality-file.ts';
import { watchQuality } from '../quality/watch-quality.ts';
import { createReport, type Report } from '../report/report.ts';
import { startEventFile } from '../report/tensorboard.ts';
import {
  keepCheckpoint,
  readNewestCheckpoint,
  restoreGan,
  saveCheckpoint,
} from '../run/checkpoint.ts';
import type { CpuBudget } from '../run/cpu-budget.ts';
import {
  createRunFolder,
  findRunFolder,
  type RunFolder,
  refuseExistingRun,
  removeLeftovers,
  runFolder,
} from '../run/folder.ts';
import { checkFinite, watchForCollapse } from '../run/health.ts';
import { type Lock, lockRun } from '../run/lock.ts';
import { appendMetrics, formatLogLine, startMetricsFile } from '../run/metrics.ts';
import {
  type GivenOptions,
  presetOf,
  resolveOptions,
  resumeOptions,
  type TrainOptions,
} from '../run/options.ts';
import { type Progress, startProgress } from '../run/progress.ts';
import { createRunRecord, type RunRecord, readRunRecord, writeRunRecord } from '../run/record.ts';
import {
  fixedLatents,
  GRID_SIDE,
  hostWeights,
  readGenerator,
  saveSamples,
} from '../run/samples.ts';
import {
  createIterations,
  generatorBatch,
  type LaunchedIteration,
  sampleLatents,
  workDone,
} from './iteration.ts';

/** A run made ready: all that the loop needs. */
interface Run {
  folder: RunFolder;
  record: RunRecord;
  preset: Preset;
  dataset: Dataset;
  gan: Gan;
  /** The iteration to begin with. */
  start: number;
}

/** A run that has been checked as far as can be before this process has it for itself. */
interface PreparedRun {
  folder: RunFolder;
  begin(): Promise<Run>;
}

/**
 * Trains a GAN, or goes on with a run, until its last iteration, until `signal` asks to stop, or
 * until its `budget` is spent. Whatever ends it, the run folder then holds a checkpoint of the last
 * iteration done.
 *
 * @throws UserError for wrong options, data, engines and disks, and when training has diverged.
 */
export async function train(
  given: GivenOptions,
  { begin: how, signal, budget }: { begin: Beginning; signal: AbortSignal; budget?: CpuBudget },
): Promise<void> {
  // Another process may be starting the same run: which of the two it is shows when that has ended.
  const early = how === 'start-or-resume' ? await lockRun(namedRun(given)) : undefined;
  let lock = early;
  try {
    const { folder, begin } = await prepare(given, how);
    lock ??= await lockRun(folder);
    const run = await begin();
    const ends = { signal: AbortSignal.any([signal, lock.lost]), budget, lock };
    await trainRun(run, ends).finally(() => disposeGan(run.gan)); // an ablation trains many
  } finally {
    await lock?.release();
  }
}

/** `start-or-resume` does what fits the run of the given name. */
export type Beginning = 'start' | 'resume' | 'start-or-resume';

function prepare(given: GivenOptions, how: Beginning): Promise<PreparedRun> {
  const isThere = () => existsSync(namedRun(given).options);
  const resumes = how === 'resume' || (how === 'start-or-resume' && isThere());
  return resumes ? prepareResume(given) : prepareRun(given);
}

function namedRun({ name }: GivenOptions): RunFolder {
  if (name !== undefined) return runFolder(name);
  throw new UserError(
    '--start-or-resume needs --name: the run that is gone on with where it exists',
  );
}

/** What may end a run before its last iteration. */
interface Ends {
  signal: AbortSignal;
  budget: CpuBudget | undefined;
  /** Another machine takes the run when this one seems dead. */
  lock: Lock;
}

async function trainRun(run: Run, ends: Ends): Promise<void> {
  const { budget, lock } = ends;
  const { folder, record, start } = run;
  const { iterations } = record.options;
  if (start === iterations) {
    await exportSaved(run, start);
    console.log(`${folder.root} has all its ${start} iterations: give more by --iterations`);
    return;
  }
  await startMetricsFile(folder.metrics, start);
  await startQualityFile(folder.quality, start);
  const work = (iteration: number) => workDone(iteration, run.preset);
  const progress = startProgress({ logFile: folder.log, start, total: iterations, work, budget });
  const report = createReport(folder, record);
  let done = start;
  try {
    done = await trainLoop(run, { progress, report, ...ends });
  } finally {
    progress.stop();
  }
  await lock.check();
  if (done > start) {
    await save(run, done, budget);
    await exportSaved(run, done);
  }
  if (done < iterations) {
    await report.write();
    console.log(`stopped at iteration ${done}; go on with --resume --name ${folder.name}`);
    return;
  }
  console.log(`done: ${folder.root} (serve its generator: npm run dev)`);
}

/** @returns the number of iterations done. */
async function trainLoop(
  run: Run,
  { progress, report, signal, budget, lock }: { progress: Progress; report: Report } & Ends,
): Promise<number> {
  const { folder, record, preset, dataset, gan, start } = run;
  const { iterations, sampleEvery, saveEvery, measureEvery, seed, batch } = record.options;
  const events = await startEventFile(folder.tensorboard, start);
  const latents = fixedLatents(seed, preset.latent);
  const collapse = watchForCollapse({ columns: GRID_SIDE });
  const sample = async (iteration: number) => {
    calibrateEma(gan, { seed, latent: preset.latent });
    const samples = await saveSamples(folder.samples, iteration, gan, latents);
    const count = generatorBatch(preset, batch);
    const sampling = { seed, iteration, purpose: 'generator latents', count };
    const stepLatents = sampleLatents(preset, sampling);
    await events.samples(iteration, { ...samples, latents, stepLatents, gan });
    await report.write();
    const collapsed = collapse.look(iteration, samples.grid);
    if (collapsed) {
      await keepCheckpoint(folder.checkpoints, 'before-collapse');
      await progress.log(collapsed);
    }
  };

  const quality = watchQuality(dataset);
  const measures = (iteration: number) =>
    quality && measureEvery > 0 && iteration > 0 && iteration % measureEvery === 0;
  const measure = async (iteration: number) => {
    calibrateEma(gan, { seed, latent: preset.latent });
    const scores = await quality!.measure({
      network: preset.generator,
      latent: preset.latent,
      weights: await hostWeights(gan),
    });
    await appendQuality(folder.quality, iteration, scores);
    await progress.log(formatQuality(iteration, scores));
  };

  // The losses of a step are read when the next one has been launched, or before it is shown or saved.
  const steps = createIterations({
    gan,
    preset,
    dataset,
    options: record.options,
    log: console.log,
  });
  let launched: LaunchedIteration | undefined;
  let settledAt = performance.now();
  let exportedAt = Number.NEGATIVE_INFINITY; // the first checkpoint can be looked at
  const settle = async () => {
    if (!launched) return;
    const { iteration } = launched;
    const losses = await launched.readLosses();
    launched = undefined;
    await lock.check();
    const metrics = { ...losses, seconds: (performance.now() - settledAt) / 1000 };
    await progress.log(formatLogLine(iteration, metrics));
    await appendMetrics(folder.metrics, iteration, metrics);
    await events.metrics(iteration, metrics);
    progress.update(iteration + 1);
    checkFinite(iteration, metrics);
    settledAt = performance.now();
  };

  for (let iteration = start; iteration < iterations; iteration++) {
    if (signal.aborted || (budget && budget.spent() >= budget.total)) {
      await settle();
      steps.dispose();
      return iteration;
    }
    if (measures(iteration)) {
      await settle();
      await measure(iteration);
      settledAt = performance.now();
    }
    if (iteration % sampleEvery === 0) {
      await settle();
      await sample(iteration);
      settledAt = performance.now();
    }
    const next = steps.launch(iteration);
    await settle();
    launched = next;
    const done = iteration + 1;
    const { methods } = preset.training;
    if (gan.encoder && methods && whitensAfter(done, methods)) {
      await settle();
      await whitenLatents(gan, gan.encoder, { dataset, key: `${seed}/${done}` });
      settledAt = performance.now();
    }
    if (done % saveEvery === 0 && done < iterations) {
      await settle();
      await save(run, done, budget);
      if (performance.now() - exportedAt > EXPORT_EVERY_MS) {
        await exportSaved(run, done);
        exportedAt = performance.now();
      }
      settledAt = performance.now();
    }
  }
  await settle();
  steps.dispose();
  if (iterations > start) {
    if (measures(iterations)) await measure(iterations);
    await sample(iterations);
  }
  return iterations;
}

async function save(
  { folder, record, preset, gan }: Run,
  done: number,
  budget: CpuBudget | undefined,
): Promise<void> {
  calibrateEma(gan, { seed: record.options.seed, latent: preset.latent });
  await saveCheckpoint(folder.checkpoints, { iteration: done, cpuSeconds: budget?.spent() }, gan);
}

/** Writes the generator file of what has just been saved. */
async function exportSaved({ folder, record, preset, gan }: Run, done: number): Promise<void> {
  const weights = await readGenerator(gan);
  await exportGenerator({ folder, preset, record, weights, iterations: done });
}

/** While a run goes on it is exported so often: the article's takes seconds, as a hundred iterations on a GPU do. */
const EXPORT_EVERY_MS = 5 * 60_000;

async function prepareRun(given: GivenOptions): Promise<PreparedRun> {
  const options = resolveOptions(given);
  const folder = runFolder(options.name);
  refuseExistingRun(folder); // before the data are read
  const engine = await startEngine(options.backend, console.log); // may move to Deno: before the rest
  const dataset = await readDataset(options);
  await createRunFolder(folder);
  return {
    folder,
    async begin() {
      const record = createRunRecord(options, dataset);
      const preset = presetOf(record);
      record.engines.push(`${engine.name} (${engine.device})`);
      await writeRunRecord(folder, record);
      console.log(`run: ${folder.root}`);
      return {
        folder,
        record,
        preset,
        dataset,
        gan: initializeGan(preset, options.seed),
        start: 0,
      };
    },
  };
}

async function prepareResume(given: GivenOptions): Promise<PreparedRun> {
  const folder = await findRunFolder(given.name);
  const saved = await readRunRecord(folder);
  const options = resumeOptions(saved.options, given);
  const engine = await startEngine(options.backend, console.log);
  const dataset = await readDataset(options);
  if (dataset.fingerprint !== saved.dataset.fingerprint) {
    throw new UserError(
      `the images of ${dataset.name} are not those that the run "${folder.name}" began with: ` +
        'put them back, or start another run by --name',
    );
  }
  return {
    folder,
    async begin() {
      await removeLeftovers(folder);
      const checkpoint = await readNewestCheckpoint(folder.checkpoints, console.warn);
      const start = checkpoint?.iteration ?? 0;
      if (options.iterations < start) {
        throw new UserError(
          `the run "${folder.name}" has ${start} iterations already: --iterations ${options.iterations} ` +
            'is less; give more, or start another run by --name',
        );
      }
      const preset = presetOf({ ...saved, options });
      // Without one the run was cut off before its first: its start is fixed by its seed.
      const gan = checkpoint
        ? restoreGan(checkpoint, {
            ...preset,
            hasEma: hasEma(preset),
            beginDiscriminator: () => initializeDiscriminator(preset, options.seed),
          })
        : initializeGan(preset, options.seed);
      const description = `${engine.name} (${engine.device})`;
      const engines =
        saved.engines.at(-1) === description ? saved.engines : [...saved.engines, description];
      const record = { ...saved, options, engines };
      await writeRunRecord(folder, record);
      console.log(`run: ${folder.root}, from iteration ${start}`);
      return { folder, record, preset, dataset, gan, start };
    },
  };
}

async function readDataset(options: TrainOptions): Promise<Dataset> {
  const { imageSize } = presetByName(options.preset);
  const dataset = await loadDataset({
    ...(options.data === null ? {} : { path: options.data }),
    imageSize,
    strict: options.strict,
    log: console.log,
  });
  for (const { file, reason } of dataset.omitted) console.warn(`omitted: ${file}: ${reason}`);
  if (options.batch > dataset.count) {
    throw new UserError(
      `--batch ${options.batch} is larger than the dataset (${dataset.count} images in ` +
        `${dataset.name}): give a --batch of at most ${dataset.count - (dataset.count % 2)}`,
    );
  }
  console.log(`data: ${dataset.count} images of ${dataset.name} (${dataset.classes.join(', ')})`);
  return dataset;
}

function initializeGan(preset: Preset, seed: number): Gan {
  const initial = initializeNetwork(preset.generator, `${seed}/weights/generator`);
  return {
    generator: initial,
    discriminator: initializeDiscriminator(preset, seed),
    encoder: preset.encoder && initializeNetwork(preset.encoder, `${seed}/weights/encoder`),
    ema: hasEma(preset) ? copyWeights(initial) : undefined,
  };
}

function initializeDiscriminator({ discriminator }: Preset, seed: number): NetworkState {
  return initializeNetwork(discriminator, `${seed}/weights/discriminator`);
}

function disposeGan({ generator, discriminator, encoder, ema }: Gan): void {
  disposeNetwork(generator);
  disposeNetwork(discriminator);
  if (encoder) disposeNetwork(encoder);
  if (ema) tf.dispose([...ema.values()]);
}

const hasEma = ({ training }: Preset) => (training.methods?.emaDecay ?? 0) > 0;
