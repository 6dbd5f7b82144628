import type { ImageSize } from '@killme/model/training';
import { Command } from 'commander';
import type { EngineChoice } from '../engines/start.ts';
import { measureQuality } from '../quality/measure-quality.ts';
import { backendOption, countUpTo, imageSizeOption, MOST_IMAGES, parseSeed } from './arguments.ts';

interface MetricsFlags {
  real?: string;
  fake: string;
  imageSize?: ImageSize;
  count: number;
  seed: number;
  backend: EngineChoice;
  json?: boolean | string;
  against?: string;
  nearest?: string;
}

export function metricsCommand(): Command {
  return new Command('metrics')
    .description(
      'how good generated images are: SWD, rKID, precision, recall, density, coverage, copies of ' +
        'training images; each beside the same of real images that were held out',
    )
    .option(
      '--real <PATH>',
      'folder, .zip or .rar of real images; without it the stand-in characters',
    )
    .requiredOption('--fake <PATH>', 'a run, a generator file, or a folder, .zip or .rar of images')
    .addOption(imageSizeOption('side at which the images of a folder are measured; without it 128'))
    .option('--count <N>', 'images to generate', countUpTo(MOST_IMAGES), 1000)
    .option(
      '--seed <N>',
      'seed of the split of the real images, and of all other random numbers',
      parseSeed,
      0,
    )
    .addOption(backendOption())
    .option(
      '--json [FILE]',
      'print the figures as JSON; with a file, print the table and write JSON there',
    )
    .option(
      '--against <FILE>',
      'JSON of another generator: scores are normalised, 0 is held-out real images and 1 is that one',
    )
    .option('--nearest <FILE>', 'PNG of samples, each beside the training image nearest to it')
    .action(async (options: MetricsFlags) => {
      await measureQuality({ ...options, json: options.json ?? false });
    });
}
