/**
 * Measures the quality of a run's images now and then, and keeps the checkpoint of the best ones.
 *
 * Beside training on a GPU it is measured in a thread on the host's cores, at most one measurement behind: the
 * figures of an iteration are kept before the next measurement begins, before a checkpoint is written, and at the
 * end. So a run does the same whenever they are ready, and what is kept is of the iteration that was measured.
 *
 * @module
 */
import type { Dataset } from '@killme/data';
import { TANH_RANGE } from '@killme/model';
import type { Preset } from '@killme/model/training';
import { calibrateEma } from '../gan/ema.ts';
import type { Gan } from '../gan/gan.ts';
import type { BestWatch } from '../quality/best.ts';
import { appendQuality, formatQuality, type RunQuality } from '../quality/quality-file.ts';
import { canWatchQuality, watchQuality, watchQualityBeside } from '../quality/watch-quality.ts';
import { saveBestCheckpoint } from '../run/checkpoint.ts';
import { encodeCheckpoint } from '../run/checkpoint-file.ts';
import type { RunFolder } from '../run/folder.ts';
import type { TrainOptions } from '../run/options.ts';
import { hostWeights } from '../run/samples.ts';
import type { Hook } from './loop.ts';

/** Share of the run's time that waiting for measurements may take before the log says so. */
const MOST_WAITING = 0.1;

export interface Measurements {
  /** Those of the training loop. */
  hooks: readonly Hook[];
  /** Waits for the measurement under way, if there is one, and keeps its figures. */
  settle(): Promise<void>;
  dispose(): Promise<void>;
}

export interface MeasuredRun {
  folder: Pick<RunFolder, 'quality' | 'checkpoints'>;
  preset: Preset;
  dataset: Dataset;
  gan: Gan;
  options: Pick<TrainOptions, 'measureEvery' | 'patience' | 'iterations' | 'seed'>;
  /** Whether another device trains, so that the host's cores are free. On them a thread would only compete. */
  beside: boolean;
}

/** A measurement that is done, and the checkpoint of its iteration. */
interface Measured {
  iteration: number;
  scores: RunQuality;
  checkpoint: () => Promise<Uint8Array>;
}

/** Measures nothing where the dataset is too small for it, or the options say so. */
export function startMeasurements(
  run: MeasuredRun,
  { log, best }: { log: (line: string) => Promise<void>; best: BestWatch },
): Measurements {
  const { folder, preset, dataset, gan, options, beside } = run;
  const { measureEvery, patience, iterations, seed } = options;
  if (measureEvery === 0 || !canWatchQuality(dataset)) {
    return { hooks: [], settle: async () => {}, dispose: async () => {} };
  }
  const watch = beside ? watchQualityBeside(dataset) : watchQuality(dataset);
  const waiting = watchWaiting(log);
  let underWay: Promise<Measured> | undefined;

  async function keep({ iteration, scores, checkpoint }: Measured): Promise<void> {
    await appendQuality(folder.quality, iteration, scores);
    await log(formatQuality(iteration, scores));
    if (best.look(iteration, scores))
      await saveBestCheckpoint(folder.checkpoints, await checkpoint());
    if (best.isOver()) await log(`parts has not improved for ${patience} iterations: it stops`);
  }

  async function settle(): Promise<void> {
    const measured = underWay;
    underWay = undefined;
    if (measured) await keep(await waiting.waitFor(measured));
  }

  async function measure(iteration: number): Promise<void> {
    await settle();
    calibrateEma(gan, { seed, latent: preset.latent });
    const weights = await hostWeights(gan);
    const { generator: network, latent } = preset;
    const generator = { network, latent, weights, range: TANH_RANGE };
    const encode = () => encodeCheckpoint({ iteration }, gan);
    if (!beside) {
      return keep({ iteration, scores: await watch.measure(generator), checkpoint: encode });
    }
    const data = await encode(); // the GAN learns on while its images are measured
    const checkpoint = async () => data;
    underWay = watch.measure(generator).then((scores) => ({ iteration, scores, checkpoint }));
    underWay.catch(() => {}); // whoever settles gets it
  }

  return {
    hooks: [
      { isDue: (done) => done > 0 && done % measureEvery === 0, run: measure },
      // The report that the last samples come with has all figures.
      { isDue: (done) => done === iterations, run: settle },
    ],
    settle,
    dispose: () => watch.dispose(),
  };
}

/** Says once when measurements take longer than there is time for them. */
function watchWaiting(log: (line: string) => Promise<void>) {
  const began = performance.now();
  let waited = 0;
  let reported = false;
  return {
    async waitFor<Result>(promise: Promise<Result>): Promise<Result> {
      const from = performance.now();
      const result = await promise;
      const now = performance.now();
      waited += now - from;
      const share = waited / (now - began);
      if (share > MOST_WAITING && !reported) {
        reported = true;
        await log(
          `training waits ${Math.round(100 * share)} % of its time for measurements of quality: ` +
            'a larger --measure-every takes less',
        );
      }
      return result;
    },
  };
}
