import { userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { Command } from 'commander';
import type { EngineChoice } from '../engines/start.ts';
import { project } from '../project/project.ts';
import { findRunFolder } from '../run/folder.ts';
import { backendOption, countUpTo, parseSeed } from './arguments.ts';

interface ProjectFlags {
  run?: string;
  steps: number;
  starts: number;
  seed: number;
  output?: string;
  backend: EngineChoice;
}

export function projectCommand(): Command {
  return new Command('project')
    .description(
      'find the latents of images by gradient descent on the generator of a run; two images make a walk',
    )
    .argument('<PICTURES...>', 'one image file or two, of any kind that training reads')
    .option('--run <NAME>', 'the run; without it the newest')
    .option('--steps <N>', 'steps of a descent', countUpTo(100_000), 300)
    .option(
      '--starts <N>',
      'descents from different latents; the best result is kept',
      countUpTo(1024),
      8,
    )
    .option('--seed <N>', 'seed of the latents that descents start from', parseSeed, 0)
    .option(
      '--output <FILE>',
      'the latent file, for one image; without it one in the folder of the run',
    )
    .addOption(backendOption())
    .action(async (pictures: string[], { run, output, ...options }: ProjectFlags) => {
      if (pictures.length > 2) {
        throw new UserError(`it takes one picture, or two for a walk, not ${pictures.length}`);
      }
      if (output !== undefined && pictures.length > 1) {
        throw new UserError('--output is for one picture: omit it');
      }
      await project({
        ...options,
        folder: await findRunFolder(run),
        pictures: pictures.map(userPath),
        output: output === undefined ? undefined : userPath(output),
      });
    });
}
