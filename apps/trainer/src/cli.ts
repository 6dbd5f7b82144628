import { UserError } from '@killme/model';
import { Command, Option } from 'commander';
import { COMMITTED_TRACES, checkEngine } from './check-engine.ts';
import { continueInDeno } from './deno.ts';
import { exportCheckpoint } from './export.ts';
import {
  type GivenOptions,
  givenOptionsSchema,
  kebab,
  parseGivenOptions,
  readConfigFile,
  userPath,
} from './options.ts';
import { findRunFolder } from './run-folder.ts';
import { type EngineChoice, NeedsDeno, startEngine } from './start-engine.ts';
import { train } from './train.ts';

const VALUE_NAMES: Partial<Record<keyof GivenOptions, string>> = {
  data: 'PATH',
  name: 'NAME',
  preset: 'NAME',
  backend: 'NAME',
};

const program = new Command('killme').description('Trains a DCGAN on a folder of icons.');

const trainCommand = program
  .command('train')
  .description('train a GAN; everything of the run lands in runs/<name>/')
  .option('--config <FILE>', 'JSON file with the options below, named like saveEvery; flags win')
  .option('--resume', 'go on with the run of --name, or with the newest one');

for (const [name, schema] of Object.entries(givenOptionsSchema.shape)) {
  const value = name === 'strict' ? '' : ` <${VALUE_NAMES[name as keyof GivenOptions] ?? 'N'}>`;
  trainCommand.addOption(new Option(`--${kebab(name)}${value}`, schema.description));
}

trainCommand.action(async ({ config, resume, ...flags }: Record<string, unknown>) => {
  const fromFile = typeof config === 'string' ? await readConfigFile(config) : {};
  const given = { ...fromFile, ...parseGivenOptions(flags, 'flag') };
  await train(given, { resume: resume === true, signal: stopSignal() });
});

program
  .command('export')
  .description('write the generator file of a run again, from its newest checkpoint')
  .option('--run <NAME>', 'the run; without it the newest')
  .addOption(
    new Option('--encoding <NAME>', 'how kernels are stored')
      .choices(['float32', 'float16', 'int8'])
      .default('int8'),
  )
  .action(async ({ run, encoding }: { run?: string; encoding: 'float32' | 'float16' | 'int8' }) => {
    const folder = await findRunFolder(run);
    const iteration = await exportCheckpoint(folder, encoding);
    console.log(`exported iteration ${iteration} as ${encoding}: ${folder.generator}`);
  });

program
  .command('check-engine')
  .description('check an engine: its gradients, and the training step against traces of real Keras')
  .addOption(
    new Option('--backend <NAME>', 'the engine')
      .choices(['auto', 'tensorflow', 'webgpu', 'wasm'])
      .default('auto'),
  )
  .option('--trace <DIR...>', 'traces to replay; without it those of test/reference/traces')
  .action(async ({ backend, trace }: { backend: EngineChoice; trace?: string[] }) => {
    await startEngine(backend, console.log);
    const folders = trace?.map(userPath) ?? COMMITTED_TRACES;
    if (!(await checkEngine(folders))) process.exitCode = 1;
  });

/** Aborts at the first Ctrl-C, so that the loop ends with a checkpoint; a second one ends at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    console.log('stopping after this iteration (once more to stop at once)');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof NeedsDeno) await continueInDeno(error.deno);
  if (!(error instanceof UserError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
