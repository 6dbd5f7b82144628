import { stat } from 'node:fs/promises';
import { UserError } from '@killme/model';
import { openArchive } from './archive.ts';
import { openFolder } from './folder.ts';

/** A file as a folder or an archive lists it, before it is read. */
export interface SourceFile {
  /** Relative to the root, `/` between its parts. */
  path: string;
  /** Bytes when unpacked. */
  size: number;
  /** Why it cannot hold an image, known from the listing alone. */
  fault?: string;
}

/** A folder, `.zip` or `.rar` as one flat list of files. */
export interface Source {
  files: readonly SourceFile[];
  /** The wanted files, each once, in the order that is cheapest for the source. */
  read(paths: readonly string[]): AsyncIterable<{ path: string; bytes(): Promise<Uint8Array> }>;
  close(): Promise<void>;
}

/**
 * @param path a folder, a `.zip` or a `.rar`; an archive is known by its first bytes, not its name.
 * @throws UserError when there is nothing at `path`, or nothing that holds images.
 */
export async function openSource(path: string): Promise<Source> {
  const info = await stat(path).catch(() => undefined);
  if (!info)
    throw new UserError(`${path} does not exist: give a folder, a .zip or a .rar of images`);
  return info.isDirectory() ? openFolder(path) : openArchive(path, info.size);
}
