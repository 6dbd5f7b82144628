import { userPath } from '@killme/command-line';
import { Command } from 'commander';
import { type EngineChoice, startEngine } from '../engines/start.ts';
import { writeGrids } from '../quality/grids.ts';
import { backendOption, countUpTo } from './arguments.ts';

interface GridsFlags {
  to: string;
  side: number;
  columns: number;
  backend: EngineChoice;
}

export function gridsCommand(): Command {
  return new Command('grids')
    .description('render the same seeds with several generators, side by side in one PNG')
    .argument('<GENERATORS...>', 'runs or generator files')
    .requiredOption('--to <FILE>', 'the PNG', userPath)
    .option('--side <N>', 'images along each side of a grid', countUpTo(32), 5)
    .option('--columns <N>', 'grids in a row', countUpTo(32), 3)
    .addOption(backendOption())
    .action(async (generators: string[], { backend, ...options }: GridsFlags) => {
      await startEngine(backend, console.log);
      await writeGrids({ ...options, generators });
    });
}
