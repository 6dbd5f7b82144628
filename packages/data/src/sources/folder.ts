import { isUtf8 } from 'node:buffer';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { explainFileError } from '@killme/command-line';
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
  let names: Buffer[];
  let real: string;
  try {
    real = await realpath(here);
    names = await readdir(here, { encoding: 'buffer' });
  } catch (error) {
    throw explainFileError(error, `the folder ${here}`, 'read');
  }
  if (parents.includes(real)) return;
  for (const bytes of names) {
    const name = bytes.toString();
    if (!isUtf8(bytes)) {
      const path = join(folder, escapeBytes(bytes));
      files.push({ path, size: 0, fault: NO_TEXT, mayHoldImages: true });
      continue;
    }
    const path = folder === '' ? name : `${folder}/${name}`;
    const info = await stat(join(root, path)).catch(() => undefined);
    if (info?.isDirectory()) await list(root, path, [...parents, real], files);
    else if (info?.isFile()) files.push({ path, size: info.size });
    else files.push({ path, size: 0, fault: info ? 'not a regular file' : 'a broken link' });
  }
}

const NO_TEXT = 'its name is not UTF-8 text: rename it (convmv -f latin1 -t utf8 does it for many)';

/** Bytes of a name as a shell's `$'…'` takes them: `caf\\xe9`. */
function escapeBytes(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
