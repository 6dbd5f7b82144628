import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  countParameters,
  type Encoding,
  GENERATOR_MANIFEST,
  packGenerator,
  UserError,
} from '@killme/model';
import { type KerasGenerator, readKerasGenerator } from '@killme/model/keras';
import { presetByName } from '@killme/model/training';
import { writeFolderWhole } from '../run/folder.ts';
import { formatBytes } from '../text/format-bytes.ts';

/** Endings that are no part of a model's name. */
const ENDINGS = /(\.weights)?\.(h5|hdf5|keras)$/i;

/**
 * Makes a generator file of a generator that Keras has trained.
 *
 * @param options.to the folder; without it one beside the file, called like it
 * @param options.preset what a file of weights alone is of
 * @param log gets what a person should know, line by line.
 * @returns the folder.
 * @throws UserError in one line, with nothing written.
 */
export async function importKeras(
  path: string,
  {
    to,
    encoding,
    preset,
  }: { to?: string | undefined; encoding: Encoding; preset?: string | undefined },
  log: (line: string) => void,
): Promise<string> {
  const file = basename(path);
  const folder = to ?? join(dirname(path), file.replace(ENDINGS, ''));
  const architecture = preset === undefined ? {} : { architecture: presetByName(preset).generator };
  const generator = await readKerasGenerator(await readBytes(path), { file, ...architecture });
  await checkTarget(folder, path);
  const files = await packGenerator({
    ...generator,
    encoding,
    facts: {
      preset: preset ?? 'imported',
      latent: { size: generator.network.inputShape[0]!, distribution: 'uniform' },
      range: generator.range,
      classes: [],
      training: {
        dataset: 'unknown',
        engine: `Keras ${generator.kerasVersion ?? 'of unknown version'}`,
        note: `imported from ${file}`,
      },
    },
  });
  await writeFolderWhole(folder, files);
  for (const line of describe(generator, file)) log(line);
  const bytes = [...files.values()].reduce((sum, data) => sum + data.length, 0);
  log(`wrote ${formatBytes(bytes)} as ${encoding}: ${folder}`);
  return folder;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UserError(`there is no file ${path}`);
    if (code === 'EISDIR') throw new UserError(`${path} is a folder, not a Keras file`);
    if (code === 'EACCES') throw new UserError(`no right to read ${path}`);
    throw error;
  }
}

/** Only a folder that was a generator file before is replaced. */
async function checkTarget(folder: string, path: string): Promise<void> {
  if (folder === path) throw new UserError(`${path} has no ending: say where to write with --to`);
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

function describe({ network, kerasVersion, notes }: KerasGenerator, file: string): string[] {
  const { total } = countParameters(network);
  return [
    `${file}: Keras ${kerasVersion ?? 'of unknown version'}, ${network.layers.length} layers, ` +
      `${total.toLocaleString('en')} parameters, latent ${network.inputShape[0]}, ` +
      `images ${network.outputShape.join('×')}`,
    ...notes,
    'its latents are taken as uniform in [-1, 1): the file does not say how to sample them',
  ];
}
