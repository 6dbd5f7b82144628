import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { userPath } from '@killme/command-line';
import { GENERATOR_MANIFEST, UserError } from '@killme/model';
import { GALLERY_MANIFEST } from '../generator/gallery.ts';
import { MODEL_NAME } from '../http/parameters.ts';

/** A folder with a generator, and what `model=` calls it. */
export interface NamedFolder {
  name: string;
  folder: string;
  /** An earlier generator, kept for its pinned addresses. */
  kept?: boolean | undefined;
  /** The folder of a gallery of it, to answer `/img` from. */
  gallery?: string | undefined;
}

/** The generators that come with the repository, the first for where none is named. */
export const SHIPPED_GENERATORS: readonly NamedFolder[] = ['lite', 'article'].map((name) => ({
  name,
  folder: fileURLToPath(new URL(`../../generators/${name}`, import.meta.url)),
}));

/**
 * The folders that a command line names: each `NAME=DIR`, or `DIR` alone, which is called as it is;
 * `runs/<run>/generator` is called as its run.
 * @throws UserError when a name is none, or two would be called the same.
 */
export const readFolders = (texts: readonly string[]): readonly NamedFolder[] =>
  checkNames(texts.map(readFolder));

/** The folders of earlier generators, each `DIR`: a generator's, a run's, or a gallery's. */
export const readKept = (texts: readonly string[]): readonly NamedFolder[] =>
  texts.map((text) => {
    const folder = userPath(text);
    const gallery = existsSync(join(folder, GALLERY_MANIFEST)) ? folder : undefined;
    return { ...nameFolder(generatorIn(folder)), kept: true, gallery };
  });

/** The first generator answers from a gallery. */
export const withGallery = (
  [first, ...others]: readonly NamedFolder[],
  gallery: string | undefined,
): readonly NamedFolder[] => [
  { ...first!, gallery: gallery === undefined ? undefined : userPath(gallery) },
  ...others,
];

/** @throws UserError when two are called the same, as file systems have it: in small letters. */
export function checkNames(folders: readonly NamedFolder[]): readonly NamedFolder[] {
  const names = folders.map(({ name }) => name.toLowerCase());
  const again = folders.find(({ name }, i) => names.indexOf(name.toLowerCase()) !== i);
  if (!again) return folders;
  throw new UserError(
    `two generators are called ${again.name}: give one of them another name, --generator NAME=DIR`,
  );
}

function readFolder(text: string): NamedFolder {
  const [before = '', ...after] = text.split('=');
  if (after.length === 0 || /[/\\]/.test(before)) return nameFolder(generatorIn(userPath(text)));
  const folder = after.join('=');
  if (MODEL_NAME.test(before) && folder !== '') {
    return { name: before, folder: generatorIn(userPath(folder)) };
  }
  throw new UserError(
    `--generator ${text} is no NAME=DIR: a name has 1 to 64 letters, digits, ".", "_" or "-"; ` +
      `a folder with = in its own name is written ./${text}`,
  );
}

/** A run's folder, or a gallery's, stands for the generator in it. */
function generatorIn(folder: string): string {
  const inRun = join(folder, 'generator');
  const isRun = !existsSync(join(folder, GENERATOR_MANIFEST));
  return isRun && existsSync(join(inRun, GENERATOR_MANIFEST)) ? inRun : folder;
}

/** Calls a folder as it is called, or as its run, in the characters that a name may have. */
export function nameFolder(folder: string): NamedFolder {
  const own = basename(folder);
  const name = own === 'generator' ? basename(dirname(folder)) : own;
  const allowed = name.replace(/[^\w.-]/g, '-').replace(/^[.-]+/, '');
  return { name: allowed.slice(0, 64) || 'generator', folder };
}
