import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@killme/model';
import { errorCode } from '../files/error-code.ts';
import type { Source, SourceFile } from './source.ts';

/**
 * The files below a folder, symbolic links followed (a folder that links to one of its own parents
 * is entered once only).
 * @throws UserError when a folder cannot be read.
 */
export async function openFolder(root: string): Promise<Source> {
  const files: SourceFile[] = [];
  await list(root, '', [], files);
  return {
    files,
    async *read(paths) {
      for (const path of paths) yield { path, bytes: () => readFile(join(root, path)) };
    },
    close: async () => {},
  };
}

async function list(
  root: string,
  folder: string,
  parents: readonly string[],
  files: SourceFile[],
): Promise<void> {
  const here = join(root, folder);
  let names: string[];
  let real: string;
  try {
    real = await realpath(here);
    names = await readdir(here);
  } catch (error) {
    throw new UserError(`the folder ${here} cannot be read (${errorCode(error)})`);
  }
  if (parents.includes(real)) return;
  for (const name of names) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const info = await stat(join(root, path)).catch(() => undefined);
    if (info?.isDirectory()) await list(root, path, [...parents, real], files);
    else if (info?.isFile()) files.push({ path, size: info.size });
    else files.push({ path, size: 0, fault: info ? 'not a regular file' : 'a broken link' });
  }
}
