import { Command, Option } from 'commander';
import {
  describeDefault,
  kebab,
  METHOD_OPTIONS,
  OPTION_NAMES,
  OPTIONS,
} from '../run/option-table.ts';
import { parseGivenOptions, readConfigFile } from '../run/options.ts';
import { train } from '../train/train.ts';
import { stopSignal } from './stop-signal.ts';

interface TrainFlags {
  config?: string;
  resume?: boolean;
  startOrResume?: boolean;
  dryRun?: boolean;
  /** Those of the option table; not validated yet. */
  [name: string]: unknown;
}

/** `train`: its flags are the option table. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a GAN; everything of the run lands in runs/<name>/')
    .option('--config <FILE>', 'JSON file with the options below, named like saveEvery; flags win')
    .option('--resume', 'go on with the run of --name, or with the newest one')
    .option('--start-or-resume', 'go on with the run of --name where it exists, else start it')
    .option('--dry-run', 'print the options as they would be, and stop');
  for (const name of OPTION_NAMES) {
    const { value, help } = OPTIONS[name];
    const preset = name in METHOD_OPTIONS ? 'preset lite; ' : '';
    const flag = `--${kebab(name)}${value === undefined ? '' : ` <${value}>`}`;
    command.addOption(new Option(flag, `${help} (${preset}default: ${describeDefault(name)})`));
  }
  return command.action(async ({ config, resume, startOrResume, dryRun, ...flags }: TrainFlags) => {
    const fromFile = config === undefined ? {} : await readConfigFile(config);
    const given = { ...fromFile, ...parseGivenOptions(flags, 'flag') };
    const begin = startOrResume ? 'start-or-resume' : resume ? 'resume' : 'start';
    await train(given, { begin, dryRun: dryRun === true, signal: stopSignal() });
  });
}
