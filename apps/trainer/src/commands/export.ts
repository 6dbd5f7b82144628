import type { Encoding } from '@killme/model';
import { Command, Option } from 'commander';
import { EXPORT_FORMATS, type ExportFormat, exportCheckpoint } from '../export/export.ts';
import { checkRights } from '../export/rights.ts';
import { CHECKPOINT_CHOICES, type CheckpointChoice } from '../run/checkpoint.ts';
import { findRunFolder } from '../run/folder.ts';
import { GRID_SIDE } from '../run/samples.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countUpTo, encodingOption, rightsOptions } from './arguments.ts';

interface ExportFlags {
  run?: string;
  format: ExportFormat[];
  encoding: Encoding;
  samples?: number;
  checkpoint: CheckpointChoice;
  licence?: string;
  credit?: string;
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description(
      'write the weights of a run into its folder, from its best checkpoint: generator/ (what is ' +
        'served), keras/ (.h5, .keras, .weights.h5), tfjs/ (model.json), onnx/',
    )
    .option('--run <NAME>', 'the run; without it the newest')
    .addOption(
      new Option('--format <NAME...>', 'which of these folders')
        .choices(EXPORT_FORMATS)
        .default([...EXPORT_FORMATS], 'all'),
    )
    .addOption(
      new Option(
        '--checkpoint <NAME>',
        'the best by the metric parts (the newest where it was not measured), or the newest',
      )
        .choices(CHECKPOINT_CHOICES)
        .default('best'),
    )
    .addOption(encodingOption())
    .option(
      '--samples <N>',
      'also write keras/samples.json: N latents and their images, to check other programs with',
      countUpTo(GRID_SIDE ** 2), // the fixed latents of a run
    )
    .action(async ({ run, format, encoding, samples, checkpoint, ...given }: ExportFlags) => {
      const rights = checkRights(given);
      const folder = await findRunFolder(run);
      const options = {
        folder,
        formats: format,
        encoding,
        checkpoint,
        rights,
        ...(samples ? { samples } : {}),
      };
      const { iteration, folders } = await exportCheckpoint(options);
      console.log(`exported iteration ${iteration} of run ${folder.name}:`);
      for (const { path, bytes } of folders) {
        console.log(`${formatBytes(bytes).padStart(12)}  ${path}`);
      }
    });
  for (const option of rightsOptions('without it the run’s own')) command.addOption(option);
  return command;
}
