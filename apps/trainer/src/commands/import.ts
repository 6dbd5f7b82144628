import { userPath } from '@killme/command-line';
import { PRESET_NAMES } from '@killme/model/training';
import { Command, Option } from 'commander';
import { type ImportOptions, importGenerator } from '../export/import.ts';
import { encodingOption, imageSizeOption, rightsOptions } from './arguments.ts';

export function importCommand(): Command {
  const command = new Command('import')
    .description(
      'make a generator file of a generator that another program has trained: Keras (.h5, .keras, ' +
        'weights alone with --config or --preset), tfjs (model.json) or PyTorch (.onnx); see ' +
        'docs/import.md',
    )
    .argument('<FILE>', 'the file')
    .option('--to <DIR>', 'the folder to write; without it one beside the file, with its name')
    .option('--config <JSON>', 'of weights alone: the file of model.to_json()')
    .addOption(
      new Option('--preset <NAME>', 'of weights alone: the preset that they belong to').choices(
        PRESET_NAMES,
      ),
    )
    .addOption(imageSizeOption('of weights alone: side of the images of --preset lite'))
    .option(
      '--latents <KIND>',
      'the latents of its training: uniform (-1 to 1; the default), uniform01, normal, normal(mean,sd)',
    )
    .option(
      '--range <RANGE>',
      'its outputs for black and white: -1..1, 0..1, 0..255; without it that of its last layer',
    )
    .option(
      '--classes <NAMES>',
      'of a conditional generator: the names, a,b,c, in the order of its labels',
    )
    .option(
      '--output <NAME>',
      'the output to take, where it has several; without it the largest image',
    )
    .option('--part <NAME>', 'of a whole GAN: generator, or the name of a part')
    .option('--preview <PNG>', 'also write the images of 5×5 seeds')
    .option('--check <PYTHON>', 'compare with Keras or onnxruntime in this Python on 8 latents')
    // Served within a level of what its maker saw; int8 takes half the room and costs up to twenty.
    .addOption(encodingOption('float16'))
    .action(async (file: string, { to, config, preview, ...options }: ImportOptions) => {
      const whole = (path: string | undefined) => (path === undefined ? undefined : userPath(path));
      const paths = { to: whole(to), config: whole(config), preview: whole(preview) };
      const folder = await importGenerator(userPath(file), { ...options, ...paths }, console.log);
      console.log(`look at it: npm start -- --generator ${quoted(folder)}`);
    });
  for (const option of rightsOptions('unknown without it')) command.addOption(option);
  return command;
}

/** A path as a shell takes it. */
const quoted = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
