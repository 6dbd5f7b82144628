import { type Encoding, type Preset, packGenerator, presetByName, UserError } from '@killme/model';
import { checkpointGenerator, readNewestCheckpoint } from './checkpoint.ts';
import { type RunFolder, writeFolderWhole } from './run-folder.ts';
import { type RunRecord, readRunRecord } from './run-record.ts';

/**
 * Writes the run's generator file, replacing an older one.
 * @param options.encoding how kernels are stored; int8 is a quarter of float32.
 */
export async function exportGenerator({
  folder,
  preset,
  record,
  weights,
  iterations,
  encoding = 'int8',
}: {
  folder: RunFolder;
  preset: Preset;
  record: RunRecord;
  weights: ReadonlyMap<string, Float32Array>;
  iterations: number;
  encoding?: Encoding;
}): Promise<void> {
  const files = await packGenerator({
    network: preset.generator,
    weights,
    encoding,
    facts: {
      preset: preset.name,
      latent: preset.latent,
      classes: record.dataset.classes,
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
  await writeFolderWhole(folder.generator, files);
}

/**
 * Exports the generator of a run's newest checkpoint; needs no engine.
 * @throws UserError when the run has no checkpoint.
 */
export async function exportCheckpoint(folder: RunFolder, encoding: Encoding): Promise<number> {
  const record = await readRunRecord(folder);
  const preset = presetByName(record.options.preset);
  const checkpoint = await readNewestCheckpoint(folder.checkpoints, console.warn);
  if (!checkpoint) {
    throw new UserError(
      `the run "${folder.name}" has no checkpoint yet: go on with it by npm run train -- --resume`,
    );
  }
  await exportGenerator({
    folder,
    preset,
    record,
    weights: checkpointGenerator(checkpoint, preset.generator),
    iterations: checkpoint.iteration,
    encoding,
  });
  return checkpoint.iteration;
}
