import { type ImageSize, PRESET_NAMES, type PresetName } from '@killme/model/training';
import { Command, Option } from 'commander';
import { startEngine } from '../engines/start.ts';
import { checkReplay } from '../verify/check-replay.ts';
import { stepCase } from '../verify/step-cases.ts';
import { countUpTo, imageSizeOption } from './arguments.ts';

interface Options {
  preset: PresetName;
  imageSize?: ImageSize;
  batch: number;
  iterations: number;
  narrow?: true;
  once?: true;
  warmUp: number;
}

export function checkReplayCommand(): Command {
  const preset = new Option('--preset <NAME>', 'whose steps').choices(PRESET_NAMES).default('lite');
  return new Command('check-replay')
    .description(
      'check on webgpu that steps end with the same bits as they are, replayed and resumed, and that a replayed one ' +
        'creates nothing on the GPU',
    )
    .addOption(preset)
    .addOption(imageSizeOption('side of the images of --preset lite'))
    .option('--batch <N>', 'images in an iteration, an even number', countUpTo(1024), 2)
    .option('--iterations <N>', 'iterations of each run', countUpTo(1e6), 12)
    .option('--warm-up <N>', 'of these in the warm-up of lite', countUpTo(1e6), 3)
    .option('--narrow', 'networks of a sixteenth of the channels, images of a quarter of the side')
    .option('--once', 'one replayed run only, to count what many iterations create')
    .action(run);
}

async function run(options: Options): Promise<void> {
  await startEngine('webgpu', console.log);
  const { countCreated } = await import('../engines/webgpu/count-created.ts'); // needs Deno's WebGPU
  const { imageSize, batch, iterations, warmUp, once = false, narrow = false } = options;
  const step = stepCase(options.preset, { narrow, imageSize }, { warmUp });
  const checked = { ...step, batch, iterations, once, countCreated, log: console.log };
  if (!(await checkReplay(checked))) process.exitCode = 1;
}
