import { readdir, stat } from 'node:fs/promises';
import { relative } from 'node:path';
import process from 'node:process';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { runsFolder, userFolder } from '@killme/command-line';
import { GENERATOR_MANIFEST, UserError } from '@killme/model';
import {
  checkNames,
  type NamedFolder,
  nameFolder,
  readFolders,
  readKept,
  SHIPPED_GENERATORS,
  withGallery,
} from '../src/runtimes/named-folder.ts';

/** The option that names the generators of a script. */
export const generatorOptions = {
  generator: { type: 'string', multiple: true },
  'newest-run': { type: 'boolean', default: false },
} as const satisfies ParseArgsOptionsConfig;

/** The options that say what a script serves: generators, a gallery of the first or none, earlier generators. */
export const servedOptions = {
  ...generatorOptions,
  gallery: { type: 'string' },
  keep: { type: 'string', multiple: true },
  immutable: { type: 'boolean', default: false },
} as const satisfies ParseArgsOptionsConfig;

/**
 * Reads a command line, this program's where none is given.
 * @throws UserError naming the argument that is not known or has no value.
 */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  options: Options,
  args: readonly string[] = process.argv.slice(2),
) {
  return refuseWrong(() => parseArgs({ options, args: [...args] }).values);
}

/** Reads the command line up to `--`; `rest` is what follows it, for another program. */
export function readArgumentsAndRest<const Options extends ParseArgsOptionsConfig>(
  options: Options,
) {
  const all = process.argv.slice(2);
  const end = all.includes('--') ? all.indexOf('--') : all.length;
  const { values } = refuseWrong(() => parseArgs({ options, args: all.slice(0, end) }));
  return { options: values, rest: all.slice(end + 1) };
}

function refuseWrong<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TypeError) throw new UserError(error.message);
    throw error;
  }
}

/**
 * The generators that the options mean: the newest run's and the named ones, or the shipped ones.
 * @throws UserError when there is no run with a generator, or two would be called the same.
 */
export async function chooseGenerators(options: {
  generator?: string[] | undefined;
  'newest-run'?: boolean;
}): Promise<readonly NamedFolder[]> {
  const named = readFolders(options.generator ?? []);
  if (!options['newest-run']) return named.length > 0 ? named : SHIPPED_GENERATORS;
  const newest = await newestRun(runsFolder());
  if (newest === undefined) {
    throw new UserError(
      'no run has exported a generator yet: train one with `npm run train -- --iterations 100`, ' +
        'or serve the shipped ones with `npm start`',
    );
  }
  console.log(`The newest generator is ${relative(userFolder(), newest)}`);
  return checkNames([nameFolder(newest), ...named]);
}

/** What is served. */
export interface Served {
  /** Those that are kept for their pinned addresses last. */
  generators: readonly NamedFolder[];
  /** No generator is ever replaced, so every picture may be kept for a year. */
  immutable?: boolean | undefined;
}

/** The folders that the command line means. */
export async function chooseServed(
  options: Parameters<typeof chooseGenerators>[0] & {
    gallery?: string | undefined;
    keep?: string[] | undefined;
    immutable: boolean;
  },
): Promise<Served> {
  const { gallery, keep = [], immutable } = options;
  return {
    generators: [...withGallery(await chooseGenerators(options), gallery), ...readKept(keep)],
    immutable,
  };
}

/** The folder `<runs>/<name>/generator` whose manifest was written last. */
export async function newestRun(runs: string): Promise<string | undefined> {
  const names = await readdir(runs).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const folder = `${runs}/${name}/generator`;
      const manifest = await stat(`${folder}/${GENERATOR_MANIFEST}`).catch(() => undefined);
      return { folder, writtenMs: manifest?.mtimeMs ?? -1 };
    }),
  );
  const newestFirst = found.sort((a, b) => b.writtenMs - a.writtenMs);
  return newestFirst.find(({ writtenMs }) => writtenMs >= 0)?.folder;
}
