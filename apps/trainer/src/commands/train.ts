import { chooseTasks, type Selection } from '@killme/command-line';
import { UserError } from '@killme/model';
import { Command, Option } from 'commander';
import { METHOD_OPTIONS, OPTION_NAMES, OPTIONS } from '../run/option-table.ts';
import { describeDefault, kebab } from '../run/option-text.ts';
import { type GivenOptions, parseGivenOptions, readConfigFile } from '../run/options.ts';
import { readSweep } from '../train/sweep.ts';
import { train } from '../train/train.ts';
import { taskOptions } from './arguments.ts';
import { STOPPED, stopSignal } from './stop-signal.ts';

interface TrainFlags extends Selection {
  config?: string;
  resume?: boolean;
  startOrResume?: boolean;
  dryRun?: boolean;
  sweep?: string;
  plan?: boolean;
  /** Those of the option table; not validated yet. */
  [name: string]: unknown;
}

/** `train`: its flags are the option table. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a GAN and write the run to runs/<name>/')
    .option('--config <FILE>', 'JSON file with the options below, named like saveEvery; flags win')
    .option('--resume', 'continue the run of --name, or the newest one')
    .option('--start-or-resume', 'continue the run of --name if it exists, else start it')
    .option('--dry-run', 'print all options with their values, and stop')
    .option('--sweep <FILE>', 'JSON list of runs, each a task: docs/sweeps.md');
  for (const option of taskOptions()) command.addOption(option);
  for (const name of OPTION_NAMES) {
    const { value, help } = OPTIONS[name];
    const preset = name in METHOD_OPTIONS ? 'preset lite; ' : '';
    const flag = `--${kebab(name)}${value === undefined ? '' : ` <${value}>`}`;
    command.addOption(new Option(flag, `${help} (${preset}default: ${describeDefault(name)})`));
  }
  return command.action(async (all: TrainFlags) => {
    const { config, resume, startOrResume, dryRun, sweep, plan, task, shard, ...flags } = all;
    const fromFile = config === undefined ? {} : await readConfigFile(config);
    const given = { ...fromFile, ...parseGivenOptions(flags, 'flag') };
    if (sweep !== undefined) {
      if (dryRun) throw new UserError('--dry-run is for one run: --plan prints those of a --sweep');
      await trainSweep(sweep, given, { plan, task, shard });
      return;
    }
    if (plan || task !== undefined || shard !== undefined) {
      throw new UserError('--plan, --task and --shard are for --sweep: give that too');
    }
    const begin = startOrResume ? 'start-or-resume' : resume ? 'resume' : 'start';
    await train(given, { begin, dryRun: dryRun === true, signal: stopSignal() });
  });
}

async function trainSweep(
  file: string,
  given: GivenOptions,
  { plan, ...selection }: Selection & { plan?: boolean | undefined },
): Promise<void> {
  const tasks = await readSweep(file, given);
  if (plan) {
    console.log(JSON.stringify({ tasks }, null, 2));
    return;
  }
  const signal = stopSignal();
  for (const number of chooseTasks(selection, tasks.length)) {
    if (!signal.aborted) await train(tasks[number]!.options, { begin: 'start-or-resume', signal });
  }
  if (signal.aborted) process.exitCode = STOPPED;
}
