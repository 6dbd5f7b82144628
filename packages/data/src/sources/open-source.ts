import { stat } from 'node:fs/promises';
import { errorCode, explainFileError } from '@killme/command-line';
import { UserError } from '@killme/model';
import { openArchive } from './archive.ts';
import { openFolder } from './folder.ts';
import type { Source } from './source.ts';

/**
 * @param path a folder, a `.zip` or a `.rar`; an archive is known by its first bytes, not its name.
 * @throws UserError when there is nothing at `path`, or nothing that holds images.
 */
export async function openSource(path: string): Promise<Source> {
  const info = await stat(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw explainFileError(error, path, 'read');
    throw new UserError(`${path} does not exist: give a folder, a .zip or a .rar of images`);
  });
  return info.isDirectory() ? openFolder(path) : openArchive(path, info.size);
}
