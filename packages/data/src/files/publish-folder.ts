import { readdir } from 'node:fs/promises';
import { errorCode, explainFileError, writeFolderWhole } from '@killme/command-line';
import { UserError } from '@killme/model';

/**
 * Makes a folder that is either whole or not there.
 * @throws UserError when `target` already holds something, when the disk is full or not writable.
 */
export async function publishFolder(
  target: string,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  await refuseOccupied(target);
  await writeFolderWhole(target, write);
}

/** @throws UserError when there is something at `target` already, other than an empty folder. */
export async function refuseOccupied(target: string): Promise<void> {
  const names = await readdir(target).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw explainFileError(error, target, 'written');
  });
  if (names.length === 0) return;
  throw new UserError(`${target} already holds files: remove it or choose another folder`);
}
