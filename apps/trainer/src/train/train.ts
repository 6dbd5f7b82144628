import { warmUpOf } from '@killme/model/training';
import { startEngine } from '../engines/start.ts';
import { disposeGan } from '../gan/gan.ts';
import { watchBest } from '../quality/best.ts';
import { readQuality, startQualityFile } from '../quality/quality-file.ts';
import { createReport, type Report } from '../report/report.ts';
import { startEventFile } from '../report/tensorboard.ts';
import type { CpuBudget } from '../run/cpu-budget.ts';
import { checkFinite } from '../run/health.ts';
import { type Lock, lockRun } from '../run/lock.ts';
import { startLogFile } from '../run/log-file.ts';
import {
  appendMetrics,
  formatLogLine,
  type IterationMetrics,
  startMetricsFile,
} from '../run/metrics.ts';
import { describeOptions, type GivenOptions } from '../run/options.ts';
import { type Progress, startProgress } from '../run/progress.ts';
import { exportRun, mapHook, sampleHook, save, saveHook, whitenHook } from './hooks.ts';
import { createIterations, workDone } from './iteration.ts';
import { trainLoop } from './loop.ts';
import { createLossQueue } from './losses.ts';
import { startMeasurements } from './measurements.ts';
import {
  type Beginning,
  namedRun,
  openRun,
  planRun,
  type Run,
  readRunDataset,
} from './open-run.ts';

export interface TrainControls {
  begin: Beginning;
  /** Only print the options; nothing is started, read or written. */
  dryRun?: boolean;
  /** Asks to stop after the iteration under way. */
  signal: AbortSignal;
  /** Ends the run when it is spent. */
  budget?: CpuBudget | undefined;
}

/** What may end a run before its last iteration. */
interface Ends {
  signal: AbortSignal;
  budget: CpuBudget | undefined;
  /** Another machine takes the run when this one seems dead. */
  lock: Lock;
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
  { begin, dryRun = false, signal, budget }: TrainControls,
): Promise<void> {
  if (dryRun) {
    const { options } = await planRun(given, begin);
    console.log(describeOptions(options, given));
    return;
  }
  // Another process may be starting the same run: which of the two it is shows when that has ended.
  let lock = begin === 'start-or-resume' ? await lockRun(namedRun(given)) : undefined;
  try {
    const plan = await planRun(given, begin);
    const engine = await startEngine(plan.options.backend, console.log); // may move to Deno: first of all
    console.log(describeOptions(plan.options, given));
    const dataset = await readRunDataset(plan);
    lock ??= await lockRun(plan.folder);
    const run = await openRun(plan, { engine, dataset });
    const ends = { signal: AbortSignal.any([signal, lock.lost]), budget, lock };
    await trainRun(run, ends).finally(() => disposeGan(run.gan)); // an ablation trains many
  } finally {
    await lock?.release();
  }
}

async function trainRun(run: Run, ends: Ends): Promise<void> {
  const { folder, record, start } = run;
  const { iterations } = record.options;
  if (start === iterations) {
    await exportRun(run);
    console.log(`${folder.root} has all its ${start} iterations: give more by --iterations`);
    return;
  }
  const warmUp = warmUpOf(run.preset);
  if (iterations < warmUp) {
    console.log(
      `it ends within its warm-up of ${warmUp} iterations: D takes no step (--warm-up gives it a shorter one)`,
    );
  }
  const report = createReport(folder, record);
  const done = await trainIterations(run, report, ends);
  await ends.lock.check();
  if (done > start) {
    await save(run, done, ends.budget);
    await exportRun(run);
  }
  if (done < iterations) {
    await report.write();
    console.log(`stopped at iteration ${done}; go on with --resume --name ${folder.name}`);
    return;
  }
  console.log(`done: ${folder.root} (serve its generator: npm run dev)`);
}

/** @returns the number of iterations done. */
async function trainIterations(
  run: Run,
  report: Report,
  { signal, budget, lock }: Ends,
): Promise<number> {
  const { folder, record, preset, dataset, gan, start } = run;
  const { options } = record;
  const { iterations } = options;
  await startLogFile(folder.log, start);
  await startMetricsFile(folder.metrics, start);
  await startQualityFile(folder.quality, start);
  const events = await startEventFile(folder.tensorboard, start);
  const best = watchBest(await readQuality(folder.quality), {
    patience: options.patience,
    from: warmUpOf(preset),
  });
  const work = (iteration: number) => workDone(iteration, preset);
  const progress = startProgress({ logFile: folder.log, start, total: iterations, work, budget });
  const { log } = progress;
  const recordLosses = async (iteration: number, metrics: IterationMetrics) => {
    await lock.check();
    await recordMetrics(run, { iteration, metrics, progress });
    await events.metrics(iteration, metrics);
    checkFinite(iteration, metrics);
  };
  const steps = createIterations({ gan, preset, dataset, options, log: console.log });
  const measurements = startMeasurements({ ...run, options }, { log, best });
  try {
    const done = await trainLoop({
      start,
      iterations,
      launch: steps.launch,
      losses: createLossQueue({ lag: () => steps.lag, record: recordLosses }),
      after: [...whitenHook(run), saveHook(run, { budget, measurements })],
      before: [
        ...mapHook(run, { signal, log }),
        ...measurements.hooks,
        sampleHook(run, { events, report, log }),
      ],
      shouldStop: () =>
        signal.aborted || (budget !== undefined && budget.spent() >= budget.total) || best.isOver(),
    });
    await measurements.settle();
    return done;
  } finally {
    await measurements.dispose();
    steps.dispose();
    progress.stop();
  }
}

/** The article's line in the log, a row of metrics.csv, and the progress bar. */
async function recordMetrics(
  { folder }: Run,
  {
    iteration,
    metrics,
    progress,
  }: { iteration: number; metrics: IterationMetrics; progress: Progress },
): Promise<void> {
  await progress.log(formatLogLine(iteration, metrics));
  await appendMetrics(folder.metrics, iteration, metrics);
  progress.update(iteration + 1);
}
