import { existsSync } from 'node:fs';
import { escapeControls } from '@killme/command-line';
import { type Dataset, loadDataset } from '@killme/data';
import { UserError } from '@killme/model';
import type { Preset } from '@killme/model/training';
import type { Engine } from '../engines/engine.ts';
import {
  type Gan,
  hasEma,
  initializeDiscriminator,
  initializeGan,
  trainedGenerator,
} from '../gan/gan.ts';
import { readNewestCheckpoint, restoreGan } from '../run/checkpoint.ts';
import {
  createRunFolder,
  findRunFolder,
  type RunFolder,
  refuseExistingRun,
  removeLeftovers,
  runFolder,
} from '../run/folder.ts';
import {
  type GivenOptions,
  presetOf,
  resolveOptions,
  resumeOptions,
  type TrainOptions,
} from '../run/options.ts';
import { createRunRecord, type RunRecord, readRunRecord, writeRunRecord } from '../run/record.ts';

/** `start-or-resume` does what fits the run of the given name. */
export type Beginning = 'start' | 'resume' | 'start-or-resume';

/** The folder of the run that `start-or-resume` names. */
export function namedRun({ name }: GivenOptions): RunFolder {
  if (name !== undefined) return runFolder(name);
  throw new UserError(
    '--start-or-resume needs --name: the run that is gone on with where it exists',
  );
}

/** A run before its data are read: what it is called and what it is to do. */
export interface RunPlan {
  folder: RunFolder;
  options: TrainOptions;
  /** What there is of it, when it goes on. */
  saved: RunRecord | undefined;
}

/** A run made ready: all that the loop needs. */
export interface Run {
  folder: RunFolder;
  record: RunRecord;
  preset: Preset;
  dataset: Dataset;
  gan: Gan;
  /** The iteration to begin with. */
  start: number;
  /** Whether quality is measured beside training, on the host's cores. */
  beside: boolean;
}

/**
 * Resolves the options of a new run, or of one that goes on.
 * @throws UserError when a new run has the name of another, and when there is no run to go on with, or
 * options would make it another one.
 */
export async function planRun(given: GivenOptions, begin: Beginning): Promise<RunPlan> {
  const isThere = () => existsSync(namedRun(given).options);
  if (begin === 'resume' || (begin === 'start-or-resume' && isThere())) {
    const folder = await findRunFolder(given.name);
    const saved = await readRunRecord(folder);
    return { folder, saved, options: resumeOptions(saved.options, given) };
  }
  const options = resolveOptions(given);
  const folder = runFolder(options.name);
  refuseExistingRun(folder);
  return { folder, saved: undefined, options };
}

/**
 * The images of a run.
 * @throws UserError when they cannot be read, are fewer than a batch, or are not those of the saved run.
 */
export async function readRunDataset({ folder, options, saved }: RunPlan): Promise<Dataset> {
  const dataset = await loadDataset({
    ...(options.data === null ? {} : { path: options.data }),
    imageSize: options.imageSize,
    strict: options.strict,
    background: options.background,
    frames: options.frames,
    log: (line) => console.log(escapeControls(line)),
  });
  if (options.batch > dataset.count) {
    throw new UserError(
      `--batch ${options.batch} is larger than the dataset (${dataset.count} images in ` +
        `${dataset.name}): give a --batch of at most ${dataset.count - (dataset.count % 2)}`,
    );
  }
  if (saved && dataset.fingerprint !== saved.dataset.fingerprint) {
    throw new UserError(
      `the images of ${dataset.name} are not those that the run "${folder.name}" began with: ` +
        'put them back, or start another run by --name',
    );
  }
  console.log(
    escapeControls(
      `data: ${dataset.count} images of ${dataset.name} (${dataset.classes.join(', ')})`,
    ),
  );
  return dataset;
}

/**
 * Makes a run ready: from its newest checkpoint, or from its start when it is new or was killed before its
 * first one. The caller holds the lock of its folder, and disposes of the GAN.
 */
export async function openRun(
  { folder, options, saved }: RunPlan,
  { engine, dataset }: { engine: Engine; dataset: Dataset },
): Promise<Run> {
  if (!saved) refuseExistingRun(folder); // another process may have been faster
  await createRunFolder(folder);
  await removeLeftovers(folder);
  const checkpoint = saved && (await readNewestCheckpoint(folder.checkpoints, console.warn));
  const start = checkpoint?.iteration ?? 0;
  if (options.iterations < start) {
    throw new UserError(
      `the run "${folder.name}" has ${start} iterations already: --iterations ${options.iterations} ` +
        'is less; give more, or start another run by --name',
    );
  }
  const begun = saved ?? createRunRecord(options, dataset);
  const record = { ...begun, options, engines: withEngine(begun.engines, engine) };
  const preset = presetOf(record);
  const gan = checkpoint
    ? restoreGan(checkpoint, {
        ...preset,
        generator: trainedGenerator(preset),
        hasEma: hasEma(preset),
        beginDiscriminator: () => initializeDiscriminator(preset, options.seed),
      })
    : initializeGan(preset, options.seed);
  await writeRunRecord(folder, record);
  console.log(`run: ${folder.root}${saved ? `, from iteration ${start}` : ''}`);
  // WebGPU leaves them free, but where it is a software adapter, which is far slower at measuring than they are.
  const beside = engine.gpu || engine.name === 'webgpu';
  return { folder, record, preset, dataset, gan, start, beside };
}

/** The engines that a run went on, in order. */
function withEngine(before: readonly string[], { name, device }: Engine): string[] {
  const description = `${name} (${device})`;
  return before.at(-1) === description ? [...before] : [...before, description];
}
