import { Command } from 'commander';
import { ablateCommand } from './ablate.ts';
import { checkEngineCommand } from './check-engine.ts';
import { checkReplayCommand } from './check-replay.ts';
import { directionsCommand } from './directions.ts';
import { exportCommand } from './export.ts';
import { gridsCommand } from './grids.ts';
import { importCommand } from './import.ts';
import { measureEncodingsCommand } from './measure-encodings.ts';
import { metricsCommand } from './metrics.ts';
import { optionsCommand } from './options.ts';
import { projectCommand } from './project.ts';
import { tablesCommand } from './tables.ts';
import { trainCommand } from './train.ts';

/** The trainer's command line. */
export function createProgram(): Command {
  const program = new Command('killme').description('Trains a DCGAN on a folder of icons.');
  const commands = [
    trainCommand(),
    optionsCommand(),
    exportCommand(),
    importCommand(),
    projectCommand(),
    directionsCommand(),
    measureEncodingsCommand(),
    checkEngineCommand(),
    checkReplayCommand(),
    metricsCommand(),
    ablateCommand(),
    tablesCommand(),
    gridsCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  return program;
}
