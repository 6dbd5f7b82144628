import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@killme/model';
import { MODEL_NAME } from './parameters.ts';
import { resolvePath } from './resolve-path.ts';

/** A folder with a generator, and what `model=` calls it. */
export interface NamedFolder {
  name: string;
  folder: string;
}

/** The generators that come with the repository, the first for where none is named. */
export const SHIPPED_GENERATORS: readonly NamedFolder[] = ['lite'].map((name) => ({
  name,
  folder: fileURLToPath(new URL(`../generators/${name}`, import.meta.url)),
}));

/**
 * The folders that a command line names: each `NAME=DIR`, or `DIR` alone, which is called as it is;
 * `runs/<run>/generator` is called as its run.
 * @throws UserError when two would be called the same.
 */
export function readFolders(texts: readonly string[]): NamedFolder[] {
  const folders = texts.map(readFolder);
  for (const [i, { name }] of folders.entries()) {
    if (folders.findIndex((other) => other.name === name) === i) continue;
    throw new UserError(
      `two generators are called ${name}: give one of them another name, --generator NAME=DIR`,
    );
  }
  return folders;
}

function readFolder(text: string): NamedFolder {
  const [before = '', ...after] = text.split('=');
  return after.length > 0 && MODEL_NAME.test(before)
    ? { name: before, folder: resolvePath(after.join('=')) }
    : nameFolder(resolvePath(text));
}

/** Calls a folder as it is called, or as its run, in the characters that a name may have. */
export function nameFolder(folder: string): NamedFolder {
  const own = basename(folder);
  const name = own === 'generator' ? basename(dirname(folder)) : own;
  return { name: name.replace(/[^\w.-]/g, '-').slice(0, 64) || 'generator', folder };
}
