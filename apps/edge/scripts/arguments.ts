import { readdir, stat } from 'node:fs/promises';
import { relative } from 'node:path';
import process from 'node:process';
import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util';
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

/** The options of a script by name, with what `--help` says of each. */
export type ScriptOptions = Record<
  string,
  ParseArgsOptionDescriptor & { value?: string; help?: string }
>;

/** The option that names the generators of a script. */
export const generatorOptions = {
  generator: {
    type: 'string',
    multiple: true,
    value: '[NAME=]DIR',
    help: 'a generator to use, as runs/NAME/generator; default: the shipped ones',
  },
  'newest-run': {
    type: 'boolean',
    default: false,
    help: 'the generator of the newest run in runs/, before those of --generator',
  },
} as const satisfies ScriptOptions;

/** The options that say what a script serves: generators, a gallery of the first or none, earlier generators. */
export const servedOptions = {
  ...generatorOptions,
  gallery: {
    type: 'string',
    value: 'DIR',
    help: 'answer from the images that `npm run prerender` has rendered into this folder',
  },
  keep: {
    type: 'string',
    multiple: true,
    value: 'DIR',
    help: 'an earlier generator, run or gallery: serve it at its pinned addresses only',
  },
  immutable: {
    type: 'boolean',
    default: false,
    help: 'no generator is ever replaced: let caches keep every image for a year',
  },
} as const satisfies ScriptOptions;

/** Where a script listens. */
export const listenOptions = {
  port: { type: 'string', default: '8787', value: 'N', help: 'the port' },
  host: {
    type: 'string',
    default: 'localhost',
    value: 'HOST',
    help: 'the address to listen at; 0.0.0.0 lets other machines in',
  },
} as const satisfies ScriptOptions;

/**
 * Reads a command line, this program's where none is given. `--help` prints the options and ends the process.
 * @param about what `--help` begins with: the command, and what it does.
 * @throws UserError naming the argument that is not known or has no value.
 */
export function readArguments<const Options extends ScriptOptions>(
  options: Options,
  about = '',
  args: readonly string[] = process.argv.slice(2),
) {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(describeOptions(options, about));
    process.exit();
  }
  return refuseWrong(() => parseArgs({ options, args: [...args] }).values);
}

/** Reads the command line up to `--`; `rest` is what follows it, for another program. */
export function readArgumentsAndRest<const Options extends ScriptOptions>(
  options: Options,
  about: string,
) {
  const all = process.argv.slice(2);
  const end = all.includes('--') ? all.indexOf('--') : all.length;
  return { options: readArguments(options, about, all.slice(0, end)), rest: all.slice(end + 1) };
}

/** What `--help` prints: `about`, then a line for each option. */
export function describeOptions(options: ScriptOptions, about: string): string {
  const rows = Object.entries(options).map(
    ([name, { value, help = '', multiple, default: preset }]) => {
      const notes = [
        ...(multiple ? ['may be repeated'] : []),
        ...(typeof preset === 'string' ? [`default: ${preset}`] : []),
      ];
      return {
        flag: `--${name}${value === undefined ? '' : ` ${value}`}`,
        text: `${help}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`,
      };
    },
  );
  const width = Math.max(...rows.map(({ flag }) => flag.length));
  const lines = rows.map(({ flag, text }) => `  ${flag.padEnd(width)}  ${text}`.trimEnd());
  return [about, '', 'Options:', ...lines].join('\n').trim();
}

function refuseWrong<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UserError(`${error.message.replace(/\.$/, '')}: --help lists the options`);
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
  const runs = runsFolder();
  const newest = await newestRun(runs);
  if (newest === undefined) {
    throw new UserError(
      `no run in ${runs} has a generator yet: a run has one from its first checkpoint on. Wait for it, ` +
        'train with `npm run train -- --preset lite`, or serve the shipped generators with `npm start`',
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
