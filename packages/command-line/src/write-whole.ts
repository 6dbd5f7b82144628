/**
 * Writes files and folders so that they are there whole or not at all.
 *
 * @module
 */
import { randomInt } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { explainFileError } from './explain-file-error.ts';

/** A name of its own for each write: processes of two machines may have one number. */
const temporaryPath = (path: string) =>
  join(dirname(path), `.${basename(path)}.${randomInt(2 ** 47)}.tmp`);

/** What {@link temporaryPath} has made: the name of the target, and whether it is an old one put aside. */
export const TEMPORARY_NAME = /^\.(.+)\.\d+\.tmp(\.old)?$/;

/**
 * Writes a file: a temporary one, then a rename. An older one is replaced.
 * @param options.flush waits until the disk has it: else a crash of the machine may leave it cut short
 * @throws UserError in one line for what the file system refuses.
 */
export async function writeFileWhole(
  path: string,
  data: string | Uint8Array,
  { flush = true }: { flush?: boolean } = {},
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, data, { flush });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainFileError(error, path);
  }
}

/**
 * Writes a folder: a temporary one beside it, then a rename. An older one is replaced. The temporary one
 * is removed on any failure, an exit of the process included.
 * @param content the files by name, or what writes them into the folder that it is given
 * @throws UserError in one line for what the file system refuses; whatever `content` throws.
 */
export async function writeFolderWhole(
  path: string,
  content: ReadonlyMap<string, Uint8Array> | ((folder: string) => Promise<void>),
): Promise<void> {
  const temporary = temporaryPath(path);
  const old = `${temporary}.old`;
  const removeNow = () => rmSync(temporary, { recursive: true, force: true });
  process.once('exit', removeNow);
  try {
    await mkdir(temporary, { recursive: true });
    if (typeof content === 'function') await content(temporary);
    else {
      for (const [name, data] of content) {
        await writeFile(join(temporary, name), data, { flush: true });
      }
    }
    if (existsSync(path)) await rename(path, old);
    await rename(temporary, path);
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    if (existsSync(old) && !existsSync(path)) await rename(old, path);
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
    throw explainFileError(error, path);
  } finally {
    process.removeListener('exit', removeNow);
  }
}
