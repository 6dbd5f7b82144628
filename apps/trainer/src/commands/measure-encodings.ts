import { userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { Command } from 'commander';
import { startEngine } from '../engines/start.ts';
import {
  encodingFault,
  encodingTable,
  loadFloat32Generator,
  measureEncodings,
} from '../export/measure-encodings.ts';
import { countUpTo } from './arguments.ts';

export function measureEncodingsCommand(): Command {
  return new Command('measure-encodings')
    .description(
      'what the encodings of a generator file cost: sizes, and how far images are from float32',
    )
    .requiredOption('--generator <DIR>', 'a generator file exported with --encoding float32')
    .option('--seeds <N>', 'compare the images of seeds 0 to N − 1', countUpTo(65_536), 256)
    .action(async ({ generator, seeds }: { generator: string; seeds: number }) => {
      const file = await loadFloat32Generator(userPath(generator));
      await startEngine('wasm', console.log);
      const rows = await measureEncodings(file, seeds);
      const { preset, training } = file.manifest;
      console.log(`${preset}, ${training.iterations ?? 'unknown'} iterations, ${seeds} seeds\n`);
      console.log(encodingTable(rows));
      const fault = encodingFault(rows);
      if (fault) throw new UserError(fault);
    });
}
