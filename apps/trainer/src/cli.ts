import { escapeControls, explainFileError, onStop } from '@killme/command-line';
import { type Encoding, UserError } from '@killme/model';
import { methodsSchema } from '@killme/model/training';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ABLATION_CSV, ablate, VARIANT_NAMES, type VariantName } from './ablation/ablate.ts';
import { readRows } from './ablation/csv.ts';
import { replaceMarked } from './ablation/replace-marked.ts';
import { ablationTables } from './ablation/table.ts';
import { continueInDeno } from './engines/deno.ts';
import { type EngineChoice, NeedsDeno, startEngine } from './engines/start.ts';
import { writeDirections } from './export/directions.ts';
import { EXPORT_FORMATS, type ExportFormat, exportCheckpoint } from './export/export.ts';
import { type ImportOptions, importGenerator } from './export/import.ts';
import {
  encodingFault,
  encodingTable,
  loadFloat32Generator,
  measureEncodings,
} from './export/measure-encodings.ts';
import { project } from './project/project.ts';
import { writeGrids } from './quality/grids.ts';
import { labelSamples } from './quality/label-samples.ts';
import { measureQuality } from './quality/measure-quality.ts';
import { findRunFolder } from './run/folder.ts';
import {
  type GivenOptions,
  givenOptionsSchema,
  givenSeed,
  kebab,
  parseGivenOptions,
  readConfigFile,
  userPath,
} from './run/options.ts';
import { formatBytes } from './text/format-bytes.ts';
import { train } from './train/train.ts';
import { COMMITTED_TRACES, checkEngine } from './verify/check-engine.ts';

const VALUE_NAMES: Partial<Record<keyof GivenOptions, string>> = {
  data: 'PATH',
  name: 'NAME',
  preset: 'NAME',
  backend: 'NAME',
  loss: 'NAME',
  classCondition: 'on|off',
  latentWhitening: 'on|off',
  minibatchDeviation: 'on|off',
  augment: 'NAMES',
};

const program = new Command('killme').description('Trains a DCGAN on a folder of icons.');

const trainCommand = program
  .command('train')
  .description('train a GAN; everything of the run lands in runs/<name>/')
  .option('--config <FILE>', 'JSON file with the options below, named like saveEvery; flags win')
  .option('--resume', 'go on with the run of --name, or with the newest one')
  .option('--start-or-resume', 'go on with the run of --name where it exists, else start it');

// A schema that has been made optional has lost its description.
const trainOptions = { ...givenOptionsSchema.shape, ...methodsSchema.shape };
for (const [name, schema] of Object.entries(trainOptions)) {
  const value = name === 'strict' ? '' : ` <${VALUE_NAMES[name as keyof GivenOptions] ?? 'N'}>`;
  trainCommand.addOption(new Option(`--${kebab(name)}${value}`, schema.description));
}

trainCommand.action(
  async ({ config, resume, startOrResume, ...flags }: Record<string, unknown>) => {
    const fromFile = typeof config === 'string' ? await readConfigFile(config) : {};
    const given = { ...fromFile, ...parseGivenOptions(flags, 'flag') };
    const begin = startOrResume ? 'start-or-resume' : resume ? 'resume' : 'start';
    await train(given, { begin, signal: stopSignal() });
  },
);

const encodingOption = () =>
  new Option('--encoding <NAME>', 'how the generator file stores kernels')
    .choices(['float32', 'float16', 'int8'])
    .default('int8');

function backendOption(): Option {
  return new Option('--backend <NAME>', 'the engine')
    .choices(['auto', 'tensorflow', 'webgpu', 'wasm'])
    .default('auto');
}

program
  .command('export')
  .description(
    'write a run again from its newest checkpoint, for the edge and for others: generator/ (what ' +
      'the edge loads), keras/ (.h5, .keras, .weights.h5), tfjs/ (model.json), onnx/',
  )
  .option('--run <NAME>', 'the run; without it the newest')
  .addOption(
    new Option('--format <NAME...>', 'which of them')
      .choices(EXPORT_FORMATS)
      .default([...EXPORT_FORMATS], 'all'),
  )
  .addOption(encodingOption())
  .option(
    '--samples <N>',
    'also write keras/samples.json: N latents and their images, to check other readers against',
    parseSamples,
  )
  .action(async ({ run, format, encoding, samples }: ExportFlags) => {
    const folder = await findRunFolder(run);
    const options = { folder, formats: format, encoding, ...(samples ? { samples } : {}) };
    const { iteration, folders } = await exportCheckpoint(options);
    console.log(`exported iteration ${iteration} of run ${folder.name}:`);
    for (const { path, bytes } of folders) {
      console.log(`${formatBytes(bytes).padStart(12)}  ${path}`);
    }
  });

interface ExportFlags {
  run?: string;
  format: ExportFormat[];
  encoding: Encoding;
  samples?: number;
}

program
  .command('import')
  .description(
    'make a generator file of a generator that Keras has trained: .h5 of Keras 1 to 3, .keras, ' +
      'or weights alone with --config or --preset (docs/import.md)',
  )
  .argument('<FILE>', 'the file')
  .option('--to <DIR>', 'the folder to write; without it one beside the file, called like it')
  .option('--config <JSON>', 'of weights alone: the file of model.to_json()')
  .option('--preset <NAME>', 'of weights alone: the preset that they are of')
  .option(
    '--latents <KIND>',
    'what it was trained on: uniform (-1 to 1), uniform01, normal, normal(mean,sd)',
  )
  .option('--range <RANGE>', 'black and white in its output: -1..1, 0..1, 0..255')
  .option(
    '--classes <NAMES>',
    'of a conditional generator: the names, a,b,c, in the order of its labels',
  )
  .option('--output <NAME>', 'the output to take, where it has several')
  .option('--part <NAME>', 'of a whole GAN: generator, or the name of a part')
  .option('--preview <PNG>', 'also write a picture of 5×5 seeds')
  .option('--check <PYTHON>', 'compare with Keras or onnxruntime in this Python on 8 latents')
  .addOption(encodingOption())
  .action(async (file: string, { to, config, preview, ...options }: ImportOptions) => {
    const whole = (path: string | undefined) => (path === undefined ? undefined : userPath(path));
    const paths = { to: whole(to), config: whole(config), preview: whole(preview) };
    const folder = await importGenerator(userPath(file), { ...options, ...paths }, console.log);
    console.log(`look at it: npm start -- --generator ${quoted(folder)}`);
  });

/** A path as a shell takes it. */
const quoted = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

/** 25 is how many fixed latents a run has. */
function parseSamples(text: string): number {
  return parseCount(text, 25);
}

function parseSeedCount(text: string): number {
  return parseCount(text, 65_536);
}

function parseMadeCount(text: string): number {
  return parseCount(text, 100_000);
}

function parseSeed(text: string): number {
  const seed = givenSeed.safeParse(text);
  if (seed.success) return seed.data;
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${2 ** 32 - 1}.`);
}

function parseCount(text: string, most: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
}

program
  .command('project')
  .description(
    'find the latents of pictures by gradient descent on the generator of a run; two pictures make a walk',
  )
  .argument('<PICTURES...>', 'one image file or two, of any kind that training reads')
  .option('--run <NAME>', 'the run; without it the newest')
  .option('--steps <N>', 'of descent', parseSteps, 300)
  .option('--starts <N>', 'descents from different places; the best is kept', parseStarts, 8)
  .option('--seed <N>', 'fixes where they start', parseSeed, 0)
  .option('--output <FILE>', 'the latent file of one picture; without it one in the run folder')
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

interface ProjectFlags {
  run?: string;
  steps: number;
  starts: number;
  seed: number;
  output?: string;
  backend: EngineChoice;
}

program
  .command('directions')
  .description(
    'find named directions of a generator file, for the move= of the edge, and write them into it: ' +
      'the main ones of its first layer, and with --classes those towards classes of its data',
  )
  .requiredOption('--generator <DIR>', 'the generator file')
  .option(
    '--classes',
    'towards each class too, by a classifier (trained once, some minutes); a class-conditional ' +
      'generator has these anyway and needs no classifier',
  )
  .option('--data <PATH>', 'what it was trained on; without it the stand-in characters')
  .option('--count <N>', 'samples to classify', parseMadeCount, 1000)
  .addOption(backendOption())
  .action(async ({ generator, classes, data, count, backend }: DirectionsFlags) => {
    if (data !== undefined && !classes)
      throw new UserError('--data is for --classes: give that too');
    const path = data === undefined ? undefined : userPath(data);
    const label = async (loaded: Parameters<typeof labelSamples>[0]) => {
      await startEngine(backend, console.log);
      return labelSamples(loaded, { data: path, count, log: console.log });
    };
    const directions = await writeDirections(userPath(generator), classes ? label : undefined);
    console.log(`wrote ${directions.map(({ name }) => name).join(', ')}`);
  });

interface DirectionsFlags {
  generator: string;
  classes?: boolean;
  data?: string;
  count: number;
  backend: EngineChoice;
}

function parseSteps(text: string): number {
  return parseCount(text, 100_000);
}

function parseStarts(text: string): number {
  return parseCount(text, 1024);
}

program
  .command('measure-encodings')
  .description(
    'what the encodings of a generator file cost: sizes, and how far images are from float32',
  )
  .requiredOption('--generator <DIR>', 'a generator file exported with --encoding float32')
  .option('--seeds <N>', 'compare the images of seeds 0 to N − 1', parseSeedCount, 256)
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

program
  .command('check-engine')
  .description('check an engine: its gradients, and the training step against traces of real Keras')
  .addOption(backendOption())
  .option('--trace <DIR...>', 'traces to replay; without it those of test/reference/traces')
  .action(async ({ backend, trace }: { backend: EngineChoice; trace?: string[] }) => {
    await startEngine(backend, console.log);
    const folders = trace?.map(userPath) ?? COMMITTED_TRACES;
    if (!(await checkEngine(folders))) process.exitCode = 1;
  });

program
  .command('metrics')
  .description(
    'how good made images are: SWD, rKID, precision, recall, density, coverage, copies of training ' +
      'images; each beside the same of real images that were held out',
  )
  .option(
    '--real <PATH>',
    'folder, .zip or .rar of real images; without it the stand-in characters',
  )
  .requiredOption('--fake <PATH>', 'a run, a generator file, or a folder, .zip or .rar of images')
  .option('--count <N>', 'images to generate', parseMadeCount, 1000)
  .option(
    '--seed <N>',
    'seed: how real images are halved, and all other random numbers',
    parseSeed,
    0,
  )
  .addOption(backendOption())
  .option(
    '--json [FILE]',
    'print the figures as JSON; with a file, write them there beside the table',
  )
  .option('--against <FILE>', 'what --json wrote of another generator: its scores count as 1')
  .option('--nearest <FILE>', 'PNG of samples, each beside the training image nearest to it')
  .action(async (options: MetricsFlags) => {
    await measureQuality({ ...options, json: options.json ?? false });
  });

interface MetricsFlags {
  real?: string;
  fake: string;
  count: number;
  seed: number;
  backend: EngineChoice;
  json?: boolean | string;
  against?: string;
  nearest?: string;
}

program
  .command('ablate')
  .description(
    'what each method of preset lite is worth: every variant trains for the same CPU time and is ' +
      'measured; goes on where it was stopped',
  )
  .addOption(
    new Option('--variants <NAME...>', 'which')
      .choices(VARIANT_NAMES)
      .default([...VARIANT_NAMES], 'all'),
  )
  .option('--cpu-seconds <N>', 'that each trains for', parseCpuSeconds, 3600)
  .option(
    '--seeds <N...>',
    'of the runs, without it 0: first all variants with the first of them',
    parseSeeds,
  )
  .option(
    '--count <N>',
    'images to generate and measure; without it as many as real ones are held out',
    parseMadeCount,
  )
  .option('--data <PATH>', 'as for train')
  .addOption(
    new Option('--to <FILE>', 'the CSV; rows that it has are not made again')
      .argParser(userPath)
      .default(ABLATION_CSV, 'docs/ablation.csv'),
  )
  .addOption(backendOption())
  .action(async ({ seeds = [0], ...options }: AblateFlags) => {
    await ablate({ ...options, seeds }, stopSignal());
  });

interface AblateFlags {
  variants: VariantName[];
  cpuSeconds: number;
  seeds?: number[];
  count?: number;
  data?: string;
  to: string;
  backend: EngineChoice;
}

/** Called for each of them, with those before it. */
function parseSeeds(text: string, before: number[] = []): number[] {
  return [...before, parseSeed(text)];
}

program
  .command('tables')
  .description('print what ablate has measured as Markdown tables: medians and ranges over seeds')
  .argument('[CSV]', 'without it docs/ablation.csv')
  .option('--into <FILE>', 'write them into a Markdown file instead, between its marks', userPath)
  .action(async (given: string | undefined, { into }: { into?: string }) => {
    const csv = given === undefined ? ABLATION_CSV : userPath(given);
    const rows = await readRows(csv);
    if (rows.length === 0) throw new UserError(`${csv} has no row: make some by npm run ablate`);
    const tables = ablationTables(rows);
    if (into === undefined) console.log(tables);
    else await replaceMarked(into, 'tables', tables);
  });

program
  .command('grids')
  .description('render the same seeds with several generators, side by side in one PNG')
  .argument('<GENERATORS...>', 'runs or generator files')
  .requiredOption('--to <FILE>', 'the PNG', userPath)
  .option('--side <N>', 'pictures along each side of a grid', parseGridSide, 5)
  .option('--columns <N>', 'grids in a row', parseGridSide, 3)
  .addOption(backendOption())
  .action(async (generators: string[], { backend, ...options }: GridsFlags) => {
    await startEngine(backend, console.log);
    await writeGrids({ ...options, generators });
  });

interface GridsFlags {
  to: string;
  side: number;
  columns: number;
  backend: EngineChoice;
}

function parseGridSide(text: string): number {
  return parseCount(text, 32);
}

function parseCpuSeconds(text: string): number {
  return parseCount(text, 10_000_000);
}

/** Aborts at the first Ctrl-C, so that the loop ends with a checkpoint; a second one ends at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    console.log('stopping after this iteration (once more to stop at once)');
    controller.abort();
  };
  onStop(stop);
  // Whoever read the lines is gone (`| head`): nothing more can be said, but nothing is lost.
  process.stdout.on('error', () => controller.abort());
  return controller.signal;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof NeedsDeno) await continueInDeno(error.deno);
  const explained = explainFileError(error);
  if (!(explained instanceof UserError)) throw error;
  console.error(`error: ${escapeControls(explained.message)}`);
  process.exitCode = 1;
}
