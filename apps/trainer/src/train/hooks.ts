/**
 * What a run does between its iterations: whiten latents, save, show samples (measurements.ts: measure quality).
 *
 * @module
 */
import { exportGenerator, readTrainedRun } from '../export/export.ts';
import { calibrateEma } from '../gan/ema.ts';
import { learnMapping } from '../gan/latent-flow.ts';
import { hasMapping, isMappingLearned } from '../gan/mapping-network.ts';
import { whitenLatents, whitensAfter } from '../gan/whitening.ts';
import type { Report } from '../report/report.ts';
import type { EventWriter } from '../report/tensorboard.ts';
import { keepCheckpoint, saveCheckpoint } from '../run/checkpoint.ts';
import type { CpuBudget } from '../run/cpu-budget.ts';
import { watchForCollapse } from '../run/health.ts';
import { fixedLatents, GRID_SIDE, saveSamples } from '../run/samples.ts';
import type { Hook } from './loop.ts';
import type { Measurements } from './measurements.ts';
import type { Run } from './open-run.ts';
import { generatorBatch, sampleLatents } from './sampler.ts';

/** While a run goes on it is exported so often: that takes seconds, as a hundred iterations do on a GPU. */
const EXPORT_EVERY_MS = 5 * 60_000;

/** Writes the grid and the strip, their TensorBoard events and the report; warns of collapse. */
export function sampleHook(
  run: Run,
  { events, report, log }: { events: EventWriter; report: Report; log: Log },
): Hook {
  const { folder, preset, gan, start } = run;
  const { sampleEvery, seed, batch, iterations } = run.record.options;
  const latents = fixedLatents(seed, preset.latent);
  const collapse = watchForCollapse({ columns: GRID_SIDE });
  return {
    isDue: (done) => done % sampleEvery === 0 || (done === iterations && done > start),
    async run(done) {
      calibrate(run);
      const samples = await saveSamples(folder.samples, done, gan, {
        latents,
        space: preset.latent,
      });
      const count = generatorBatch(preset, batch);
      const sampling = { seed, iteration: done, purpose: 'generator latents', count } as const;
      const stepLatents = sampleLatents(preset, sampling);
      await events.samples(done, { ...samples, latents, stepLatents, gan });
      await report.write();
      const warning = collapse.look(done, samples.grid);
      if (!warning) return;
      await keepCheckpoint(folder.checkpoints, 'before-collapse');
      await log(warning);
    },
  };
}

/** Whitens the latents of the real images during the warm-up, where the methods ask for it. */
export function whitenHook({ preset, gan, dataset, record }: Run): Hook[] {
  const { methods } = preset.training;
  const { encoder } = gan;
  if (!encoder || !methods?.latentWhitening) return [];
  const ordered = (done: number) => hasMapping(preset.generator) && done === methods.warmUp;
  return [
    {
      isDue: (done) => whitensAfter(done, methods),
      run: (done) =>
        whitenLatents(gan, encoder, {
          dataset,
          key: `${record.options.seed}/${done}`,
          ordered: ordered(done),
        }),
    },
  ];
}

/**
 * Learns the mapping network after the warm-up, before the first step with D, where G has one. It takes minutes: a
 * run that is stopped meanwhile learns it when it goes on.
 */
export function mapHook(
  { preset, gan, dataset, record }: Run,
  { signal, log }: { signal: AbortSignal; log: Log },
): Hook[] {
  const { methods } = preset.training;
  if (!methods || !hasMapping(preset.generator)) return [];
  return [
    {
      isDue: (done) => done === methods.warmUp,
      async run(done) {
        if (await isMappingLearned(gan.generator)) return;
        await log('learning the mapping network …');
        const began = performance.now();
        const components = await learnMapping(gan, {
          dataset,
          space: preset.latent,
          steps: methods.mappingSteps,
          key: `${record.options.seed}/${done}`,
          signal,
          log: console.log,
        });
        if (components === undefined) return;
        const seconds = Math.round((performance.now() - began) / 1000);
        await log(`mapping network learned in ${seconds} s: it maps ${components} components`);
      },
    },
  ];
}

/**
 * Writes checkpoints, and now and then the generator file; the last ones are `trainRun`'s.
 * @param options.measurements are kept first, so that a run that goes on from a checkpoint lacks none of before it.
 */
export function saveHook(
  run: Run,
  { budget, measurements }: { budget: CpuBudget | undefined; measurements: Measurements },
): Hook {
  const { saveEvery, iterations } = run.record.options;
  let exportedAt = Number.NEGATIVE_INFINITY; // the first checkpoint is exported at once
  return {
    isDue: (done) => done % saveEvery === 0 && done < iterations,
    async run(done) {
      await measurements.settle();
      await save(run, done, budget);
      if (performance.now() - exportedAt < EXPORT_EVERY_MS) return;
      await exportRun(run);
      exportedAt = performance.now();
    },
  };
}

/** Writes a checkpoint of the GAN as it is. @param budget is kept with it. */
export async function save(run: Run, done: number, budget: CpuBudget | undefined): Promise<void> {
  calibrate(run);
  const trained = { iteration: done, cpuSeconds: budget?.spent() };
  await saveCheckpoint(run.folder.checkpoints, trained, run.gan);
}

/** Writes the generator file of the best checkpoint, or of the newest where none was measured. */
export async function exportRun({ folder }: Run): Promise<void> {
  await exportGenerator({ folder, ...(await readTrainedRun(folder)) });
}

const calibrate = ({ gan, preset, record }: Run) =>
  calibrateEma(gan, { seed: record.options.seed, latent: preset.latent });

/** Writes a line of the run to the terminal and to its log. */
type Log = (line: string) => Promise<void>;
