import { userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { Command } from 'commander';
import { type EngineChoice, startEngine } from '../engines/start.ts';
import { writeDirections } from '../export/directions.ts';
import { labelSamples } from '../quality/label-samples.ts';
import { backendOption, countUpTo, MOST_IMAGES } from './arguments.ts';

interface DirectionsFlags {
  generator: string;
  classes?: boolean;
  data?: string;
  count: number;
  backend: EngineChoice;
}

export function directionsCommand(): Command {
  return new Command('directions')
    .description(
      'find named directions of latent space, for move= in addresses, and write them into a ' +
        'generator file: those of its first layer, and with --classes those towards classes',
    )
    .requiredOption('--generator <DIR>', 'the generator file')
    .option(
      '--classes',
      'also those towards classes, by a classifier (trained once, some minutes); a class-conditional ' +
        'generator has these anyway and needs no classifier',
    )
    .option('--data <PATH>', 'what it was trained on; without it the stand-in characters')
    .option('--count <N>', 'samples to classify', countUpTo(MOST_IMAGES), 1000)
    .addOption(backendOption())
    .action(async ({ generator, classes, data, count, backend }: DirectionsFlags) => {
      if (data !== undefined && !classes) {
        throw new UserError('--data is for --classes: give that too');
      }
      const path = data === undefined ? undefined : userPath(data);
      const label = async (loaded: Parameters<typeof labelSamples>[0]) => {
        await startEngine(backend, console.log);
        return labelSamples(loaded, { data: path, count, log: console.log });
      };
      const directions = await writeDirections(userPath(generator), classes ? label : undefined);
      console.log(`wrote ${directions.map(({ name }) => name).join(', ')}`);
    });
}
