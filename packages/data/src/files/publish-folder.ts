import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, explainFileError } from '@killme/command-line';
import { UserError } from '@killme/model';

/**
 * Makes a folder that is either whole or not there: `write` fills a temporary one beside it, which
 * is renamed at the end and removed on any failure, an exit of the process included.
 * @throws UserError when `target` already holds something, when the disk is full or not writable.
 */
export async function publishFolder(
  target: string,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  await refuseOccupied(target);
  const temporary = join(dirname(target), `.${basename(target)}-unfinished-${randomUUID()}`);
  const removeNow = () => rmSync(temporary, { recursive: true, force: true });
  process.once('exit', removeNow);
  try {
    await mkdir(temporary, { recursive: true });
    await write(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
    throw explainFileError(error, target);
  } finally {
    process.removeListener('exit', removeNow);
  }
}

/** @throws UserError when there is something at `target` already, other than an empty folder. */
export async function refuseOccupied(target: string): Promise<void> {
  const names = await readdir(target).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw new UserError(`cannot write to ${target} (${errorCode(error)}): choose another folder`);
  });
  if (names.length === 0) return;
  throw new UserError(`${target} already holds files: remove it or choose another folder`);
}
