import { join } from 'node:path';
import { writeFolderWhole } from '@killme/command-line';
import { type Encoding, packGenerator, type Rights, UserError } from '@killme/model';
import { writeTfjsModel } from '@killme/model/keras';
import { writeOnnx } from '@killme/model/onnx';
import type { Preset } from '@killme/model/training';
import { toHostWeights } from '../gan/network-state.ts';
import {
  type CheckpointChoice,
  checkpointGenerator,
  checkpointWeights,
  readCheckpoint,
} from '../run/checkpoint.ts';
import type { RunFolder } from '../run/folder.ts';
import { presetOf } from '../run/options.ts';
import { type RunRecord, readRunRecord } from '../run/record.ts';
import { ownDirections } from './directions.ts';
import { kerasFiles, referenceSamples, type TrainedGan } from './keras.ts';
import { rightsOf } from './rights.ts';

interface GeneratorExport {
  preset: Preset;
  record: RunRecord;
  weights: ReadonlyMap<string, Float32Array>;
  iterations: number;
  encoding?: Encoding;
  /** Instead of the run's own. */
  rights?: Rights;
}

/**
 * Writes the run's generator file, replacing an older one.
 * @param options.encoding how kernels are stored; int8 is a quarter of float32.
 */
export async function exportGenerator({
  folder,
  ...options
}: GeneratorExport & { folder: RunFolder }): Promise<void> {
  await writeFolderWhole(folder.generator, await generatorFiles(options));
}

/** The generator file of a trained generator, in memory. */
export function generatorFiles({
  preset,
  record,
  weights,
  iterations,
  encoding = 'int8',
  rights,
}: GeneratorExport): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const { generator: network, latent } = preset;
  const { classes } = record.dataset;
  return packGenerator({
    network,
    weights,
    encoding,
    facts: {
      preset: preset.name,
      latent,
      classes,
      rights: rightsOf(record, rights),
      directions: ownDirections(
        { network, weights: toHostWeights(network, weights), latent },
        classes,
      ),
      training: {
        dataset: record.dataset.name,
        images: record.dataset.count,
        iterations,
        batchSize: record.options.batch,
        seed: record.options.seed,
        engine: record.engines.join(', then '),
      },
    },
  });
}

/** A run as a checkpoint has it; weights are on the host, by name. */
export interface TrainedRun {
  preset: Preset;
  record: RunRecord;
  /** Those of the generator that is exported. */
  weights: ReadonlyMap<string, Float32Array>;
  discriminator: ReadonlyMap<string, Float32Array>;
  /** Of runs with a reconstruction loss. */
  encoder: ReadonlyMap<string, Float32Array> | undefined;
  iterations: number;
}

/** @throws UserError when the run has no checkpoint, or one of other networks. */
export async function readTrainedRun(
  folder: RunFolder,
  choice: CheckpointChoice = 'best',
): Promise<TrainedRun> {
  const record = await readRunRecord(folder);
  const preset = presetOf(record);
  const checkpoint = await readCheckpoint(folder.checkpoints, choice, console.warn);
  if (!checkpoint) {
    throw new UserError(
      `the run "${folder.name}" has no checkpoint yet: go on with it by npm run train -- --resume`,
    );
  }
  return {
    preset,
    record,
    weights: checkpointGenerator(checkpoint, preset.generator),
    discriminator: checkpointWeights(checkpoint, preset.discriminator),
    encoder: preset.encoder && checkpointWeights(checkpoint, preset.encoder),
    iterations: checkpoint.iteration,
  };
}

/** What an export can be made of. */
export const EXPORT_FORMATS = ['generator', 'keras', 'tfjs', 'onnx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** A folder that was written, and how large it is. */
export interface ExportedFolder {
  path: string;
  bytes: number;
}

/**
 * Exports a checkpoint of a run; needs no engine, but for samples.
 *
 * @param options.encoding how kernels are stored in the generator file; the others are float32.
 * @param options.rights licence and credit of the generator file, instead of the run's own.
 * @param options.samples so many images go into `keras/samples.json` with their latents, as our
 *   inference renders them: what test/reference/check_export.py holds Keras's own against.
 * @throws UserError when the run has no checkpoint.
 */
export async function exportCheckpoint({
  folder,
  formats,
  encoding,
  rights,
  samples = 0,
  checkpoint = 'best',
}: {
  folder: RunFolder;
  checkpoint?: CheckpointChoice;
  formats: readonly ExportFormat[];
  encoding: Encoding;
  rights?: Rights;
  samples?: number;
}): Promise<{ iteration: number; folders: ExportedFolder[] }> {
  const run = await readTrainedRun(folder, checkpoint);
  const { preset, record, weights, iterations } = run;
  const trained: TrainedGan = { preset, generator: weights, discriminator: run.discriminator };
  const folders: ExportedFolder[] = [];
  const write = async (name: string, files: ReadonlyMap<string, Uint8Array>) => {
    const path = join(folder.root, name);
    await writeFolderWhole(path, files);
    const bytes = [...files.values()].reduce((sum, file) => sum + file.length, 0);
    folders.push({ path, bytes });
  };
  if (formats.includes('generator')) {
    await write(
      'generator',
      await generatorFiles({ ...run, encoding, ...(rights ? { rights } : {}) }),
    );
  }
  if (formats.includes('keras')) {
    const files = await kerasFiles(trained);
    if (samples > 0) files.set('samples.json', await referenceSamples(trained, record, samples));
    await write('keras', files);
  }
  if (formats.includes('tfjs')) await write('tfjs', writeTfjsModel(preset.generator, weights));
  if (formats.includes('onnx')) {
    await write('onnx', new Map([['generator.onnx', writeOnnx(preset.generator, weights)]]));
  }
  return { iteration: iterations, folders };
}
