/**
 * `npm run import`: a generator that another program has trained becomes a generator file.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readNamedFile, readNamedText, writeFolderWhole } from '@killme/command-line';
import {
  countParameters,
  type Encoding,
  GENERATOR_MANIFEST,
  type ImportedGenerator,
  type LatentSpace,
  packGenerator,
  UserError,
  type ValueRange,
} from '@killme/model';
import { readKerasGenerator } from '@killme/model/keras';
import { readOnnxGenerator } from '@killme/model/onnx';
import { type ImageSize, type PresetName, presetByName } from '@killme/model/training';
import { startEngine } from '../engines/start.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { checkAgainstOriginal } from './import-check.ts';
import {
  classNames,
  describeLatents,
  MEASURED_LATENTS,
  parseLatents,
  parseRange,
  rangeOfValues,
} from './import-options.ts';
import { Render } from './import-render.ts';
import { isolateMemory } from './isolate-memory.ts';
import { checkRights } from './rights.ts';

/** Endings that are no part of a model's name. */
const ENDINGS = /(\.weights)?\.(h5|hdf5|keras|onnx|json)$/i;

export interface ImportOptions {
  /** The folder; without it one beside the file, called like it. */
  to?: string | undefined;
  encoding: Encoding;
  /** What a file of weights alone is of: a preset, or the file of Keras's `to_json`. */
  preset?: PresetName | undefined;
  /** Of that preset; 128 when omitted. */
  imageSize?: ImageSize | undefined;
  config?: string | undefined;
  latents?: string | undefined;
  range?: string | undefined;
  classes?: string | undefined;
  output?: string | undefined;
  part?: string | undefined;
  /** A picture of 5×5 seeds is written there. */
  preview?: string | undefined;
  /** A Python with Keras or onnxruntime, whose output ours is compared with. */
  check?: string | undefined;
  /** Of the images that it makes, as `--licence` and `--credit` have them. */
  licence?: string | undefined;
  credit?: string | undefined;
}

/** What is written of a generator, and what was taken for granted. */
interface Described {
  generator: ImportedGenerator;
  latent: LatentSpace;
  range: ValueRange;
  classes: string[];
  notes: string[];
}

/**
 * Makes a generator file of a generator that another program has trained.
 *
 * @param log gets what a person should know, line by line.
 * @returns the folder.
 * @throws UserError in one line, with nothing written.
 */
export async function importGenerator(
  path: string,
  options: ImportOptions,
  log: (line: string) => void,
): Promise<string> {
  const file = basename(path);
  const folder = options.to ?? join(dirname(path), file.replace(ENDINGS, ''));
  const latents = parseLatents(options.latents ?? 'uniform');
  const range = options.range === undefined ? undefined : parseRange(options.range);
  checkRights(options);
  const generator = await readGenerator(path, options);
  await checkTarget(folder, path);
  const classes = classNames(options.classes, generator.classes);
  const latent: LatentSpace = {
    size: generator.network.inputShape[0]!,
    ...latents,
    ...(classes.length > 0 ? { classes: classes.map(() => 1) } : {}),
  };
  await startEngine('wasm', () => undefined);
  const notes: string[] = [];
  const render = new Render(generator, latent);
  try {
    const described: Described = {
      ...{ generator, latent, classes, notes },
      range: range ?? (await guessRange(generator, render, notes)),
    };
    if (options.latents === undefined) notes.push(latentNote(latent));
    await render.one(file);
    const files = await pack(described, options, file);
    if (options.check !== undefined) {
      notes.push(await checkAgainstOriginal(path, { ...options, ...described, render }));
    }
    await writeFolderWhole(folder, files);
    if (options.preview !== undefined) await render.preview(options.preview, described.range);
    for (const line of describe(described, file)) log(line);
    const bytes = [...files.values()].reduce((sum, data) => sum + data.length, 0);
    log(`wrote ${formatBytes(bytes)} as ${options.encoding}: ${folder}`);
  } finally {
    render.dispose();
  }
  return folder;
}

async function readGenerator(path: string, options: ImportOptions): Promise<ImportedGenerator> {
  const file = basename(path);
  const { preset, imageSize, config, output, part } = options;
  const readBeside = (name: string) => readNamedFile(join(dirname(path), basename(name)));
  if (/\.onnx$/i.test(file)) {
    return readOnnxGenerator(await readNamedFile(path), { file, readBeside, output });
  }
  const architecture = preset === undefined ? undefined : presetByName(preset, imageSize).generator;
  return readKerasGenerator(await readNamedFile(path), {
    ...{ file, readBeside, architecture, output, part },
    config: config === undefined ? undefined : await readConfig(config),
  });
}

async function readConfig(path: string): Promise<unknown> {
  const text = await readNamedText(path);
  try {
    const value: unknown = JSON.parse(text);
    // Some programs store the JSON of the model as a text in JSON.
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    throw new UserError(`--config: ${basename(path)} is no JSON: write model.to_json() into it`);
  }
}

async function guessRange(
  { range }: ImportedGenerator,
  render: Render,
  notes: string[],
): Promise<ValueRange> {
  if (range) {
    notes.push(`its last layer ends at ${range.join(' and ')}: images are taken as that range`);
    return range;
  }
  const images = await render.values(render.latents(MEASURED_LATENTS, 'range'));
  const values = Float32Array.from(images.flatMap((image) => [...image]));
  const [low, high] = values.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)] as [number, number],
    [Infinity, -Infinity] as [number, number],
  );
  const guess = rangeOfValues(values);
  notes.push(
    `its last layer has no bounds; ${MEASURED_LATENTS} latents give ${low.toFixed(2)} to ` +
      `${high.toFixed(2)}, taken as ${guess.join('..')}: if that is wrong, say --range`,
  );
  return guess;
}

const latentNote = (latent: LatentSpace): string =>
  `its latents are taken as ${describeLatents(latent)}; the file does not say. Most authors train ` +
  'on normal ones: if pictures look dull or all alike, import with --latents normal';

function pack(
  { generator, latent, range, classes }: Described,
  { encoding, preset, licence, credit }: ImportOptions,
  file: string,
) {
  return packGenerator({
    ...generator,
    encoding,
    facts: {
      preset: preset ?? 'imported',
      ...{ latent, range, classes },
      rights: { licence, credit },
      training: {
        dataset: 'unknown',
        engine: generator.framework,
        note: `imported from ${file}`,
      },
    },
  });
}

/** Only a folder that was a generator file before is replaced. */
async function checkTarget(folder: string, path: string): Promise<void> {
  if (resolve(folder) === resolve(path)) {
    throw new UserError(`${path} has no ending: say where to write with --to`);
  }
  if (!existsSync(folder)) {
    if (existsSync(dirname(folder))) return;
    throw new UserError(`--to: there is no folder ${dirname(folder)}`);
  }
  const names = await readdir(folder).catch(() => {
    throw new UserError(`${folder} is a file: say with --to in which folder to write`);
  });
  if (names.length === 0 || names.includes(GENERATOR_MANIFEST)) return;
  throw new UserError(
    `${folder} exists and is no generator file: say with --to where to write instead`,
  );
}

function describe({ generator, classes, notes }: Described, file: string): string[] {
  const { network, framework } = generator;
  const { total } = countParameters(network);
  const named = classes.length > 0 ? `, classes ${classes.join(', ')}` : '';
  return [
    `${file}: ${framework}, ${network.layers.length} layers, ` +
      `${total.toLocaleString('en')} parameters, latent ${network.inputShape[0]}${named}, ` +
      `images ${network.outputShape.join('×')}`,
    ...generator.notes,
    ...notes,
    isolateMemory(network),
  ];
}
