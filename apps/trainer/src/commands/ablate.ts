import { userPath } from '@killme/command-line';
import { Command, Option } from 'commander';
import { ABLATION_CSV, ablate, VARIANT_NAMES, type VariantName } from '../ablation/ablate.ts';
import type { EngineChoice } from '../engines/start.ts';
import { backendOption, countUpTo, MOST_IMAGES, parseSeed } from './arguments.ts';
import { stopSignal } from './stop-signal.ts';

interface AblateFlags {
  variants: VariantName[];
  cpuSeconds: number;
  seeds?: number[];
  count?: number;
  data?: string;
  to: string;
  backend: EngineChoice;
}

export function ablateCommand(): Command {
  return new Command('ablate')
    .description(
      'what each method of preset lite is worth: every variant trains for the same CPU time and is ' +
        'measured; goes on where it was stopped',
    )
    .addOption(
      new Option('--variants <NAME...>', 'which')
        .choices(VARIANT_NAMES)
        .default([...VARIANT_NAMES], 'all'),
    )
    .option('--cpu-seconds <N>', 'that each trains for', countUpTo(10_000_000), 3600)
    .option(
      '--seeds <N...>',
      'of the runs, without it 0: first all variants with the first of them',
      parseSeeds,
    )
    .option(
      '--count <N>',
      'images to generate and measure; without it as many as real ones are held out',
      countUpTo(MOST_IMAGES),
    )
    .option('--data <PATH>', 'as for train')
    .addOption(
      new Option('--to <FILE>', 'the CSV; rows that it has are not made again')
        .argParser(userPath)
        .default(ABLATION_CSV, 'docs/ablation.csv'),
    )
    .addOption(backendOption())
    .action(async ({ seeds = [0], ...options }: AblateFlags) => {
      await ablate({ ...options, seeds }, stopSignal());
    });
}

/** Called for each of them, with those before it. */
function parseSeeds(text: string, before: number[] = []): number[] {
  return [...before, parseSeed(text)];
}
