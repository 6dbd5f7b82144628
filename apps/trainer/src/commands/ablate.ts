import { chooseTasks, type Selection, userPath } from '@killme/command-line';
import type { ImageSize } from '@killme/model/training';
import { Command, Option } from 'commander';
import { ABLATION_CSV, ablate, RESULTS_FOLDER } from '../ablation/ablate.ts';
import { chooseBudget } from '../ablation/budget.ts';
import { mergeResults } from '../ablation/merge.ts';
import { planAblation } from '../ablation/plan.ts';
import { VARIANT_NAMES, type VariantName } from '../ablation/variants.ts';
import type { EngineChoice } from '../engines/start.ts';
import {
  backendOption,
  countUpTo,
  imageSizeOption,
  MOST_IMAGES,
  parseSeed,
  taskOptions,
} from './arguments.ts';
import { STOPPED, stopSignal } from './stop-signal.ts';

interface AblateFlags extends Selection {
  variants: VariantName[];
  cpuSeconds?: number;
  iterations?: number;
  imageSize?: ImageSize;
  warmUp?: number;
  seeds?: number[];
  count?: number;
  data?: string[];
  saveEvery?: number;
  split?: boolean;
  plan?: boolean;
  merge?: string[];
  results: string;
  to: string;
  backend: EngineChoice;
}

const MOST = 10_000_000;

export function ablateCommand(): Command {
  const command = new Command('ablate')
    .description(
      'what each method of preset lite is worth: every variant trains for the same budget and is ' +
        'measured; an interrupted one is continued. On several machines: docs/sweeps.md',
    )
    .addOption(
      new Option('--variants <NAME...>', 'which variants')
        .choices(VARIANT_NAMES)
        .default([...VARIANT_NAMES], 'all'),
    )
    .option(
      '--cpu-seconds <N>',
      'CPU seconds that each variant trains for; without it 3600',
      countUpTo(MOST),
    )
    .option(
      '--iterations <N>',
      'iterations that each variant trains for, instead of CPU seconds',
      countUpTo(MOST),
    )
    .option('--seeds <N...>', 'seeds of the runs; without it 0', parseSeeds)
    .option(
      '--count <N>',
      'images to generate and measure; without it as many as there are held-out real ones',
      countUpTo(MOST_IMAGES),
    )
    .option('--data <PATH...>', 'folder, .zip or .rar of images, as for train; each has a table')
    .addOption(imageSizeOption('side of all images; without it 128'))
    .option(
      '--warm-up <N>',
      'iterations of the warm-up, for a budget that is too small for the default',
      countUpTo(MOST),
    )
    .option('--save-every <N>', 'iterations between checkpoints', countUpTo(MOST))
    .option('--split', 'a task for each warm-up and each variant, instead of one for each seed')
    .option('--merge <DIR...>', 'add the results in these folders to the CSV, and stop');
  for (const option of taskOptions()) command.addOption(option);
  return command
    .addOption(
      new Option('--results <DIR>', 'folder of the results of tasks')
        .argParser(userPath)
        .default(RESULTS_FOLDER, 'runs/ablation'),
    )
    .addOption(
      new Option('--to <FILE>', 'the CSV; rows that it has are not measured again')
        .argParser(userPath)
        .default(ABLATION_CSV, 'docs/ablation.csv'),
    )
    .addOption(backendOption())
    .action(runAblation);
}

async function runAblation({ seeds = [0], data = [], split = false, ...options }: AblateFlags) {
  const { results, to, merge } = options;
  if (merge) {
    await mergeResults(merge.map(userPath), { to, log: console.log });
    return;
  }
  const plan = planAblation({ ...options, budget: chooseBudget(options), seeds, data, split });
  if (options.plan) {
    console.log(JSON.stringify(plan, null, 2));
    return;
  }
  const signal = stopSignal();
  const chosen = chooseTasks(options, plan.tasks.length);
  await ablate(plan, { chosen, results, to, signal });
  if (signal.aborted) process.exitCode = STOPPED;
  else if (chosen.length === plan.tasks.length) {
    await mergeResults([results], { to, log: console.log });
  }
}

/** Called for each of them, with those before it. */
function parseSeeds(text: string, before: number[] = []): number[] {
  return [...before, parseSeed(text)];
}
