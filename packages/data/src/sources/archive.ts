import { open } from 'node:fs/promises';
import { explainFileError } from '@killme/command-line';
import { UserError } from '@killme/model';
import { openRar } from './rar.ts';
import type { Source } from './source.ts';
import { openZip } from './zip.ts';

/**
 * Opens a `.zip` or `.rar`. Nothing is ever written to disk: entries are decoded from memory.
 * @throws UserError when the file is neither, or is damaged, encrypted, in several volumes, or
 * names an entry outside of itself.
 */
export async function openArchive(path: string, size: number): Promise<Source> {
  const handle = await open(path).catch((error: unknown) => {
    throw explainFileError(error, path, 'read');
  });
  const start = Buffer.alloc(7);
  await handle.read(start, 0, start.length, 0).finally(() => handle.close());
  if (start.toString('latin1', 0, 2) === 'PK') return openZip(path);
  if (start.toString('latin1', 0, 6) === 'Rar!\x1a\x07') return openRar(path, size);
  throw new UserError(
    size === 0
      ? `${path} is empty (0 bytes)`
      : `${path} is neither a folder nor a .zip or .rar (its first bytes are no archive's): ` +
          'give the folder or the archive that holds the images',
  );
}
