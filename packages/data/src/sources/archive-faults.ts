import { UserError } from '@killme/model';

/** Unpacked bytes of all images of one archive; the largest real icon sets have a tenth of it. */
export const MAX_ARCHIVE_BYTES = 2 ** 30;

/**
 * An entry's path without the `.` that `tar -a -c .` puts in front; the empty path is the root.
 * @throws UserError naming the archive and the entry, when it would land outside the folder that
 * the archive is unpacked to.
 */
export function normalizeEntryName(archive: string, entry: string): string {
  const parts = entry.split('/');
  const isOutside =
    entry === '' ||
    entry.startsWith('/') ||
    /^[a-z]:/i.test(entry) ||
    /[\\\0]/.test(entry) ||
    parts.includes('..');
  if (!isOutside) return parts.filter((part) => part !== '.').join('/');
  throw new UserError(
    `${archive} holds ${JSON.stringify(entry)}, a path that leads out of the archive or is not a ` +
      'plain relative one: nothing was read; make the archive again with relative paths and /',
  );
}

/** @throws UserError when an entry is encrypted. */
export function refuseEncrypted(archive: string, entry?: string): never {
  throw new UserError(
    `${archive} is protected by a password${entry === undefined ? '' : ` (entry ${JSON.stringify(entry)})`}: ` +
      'unpack it yourself and give the folder',
  );
}

/** @throws UserError when an archive or one entry of it cannot be unpacked. */
export function refuseDamaged(archive: string, why: string, entry?: string): never {
  throw new UserError(
    `${archive} is damaged${entry === undefined ? '' : ` at entry ${JSON.stringify(entry)}`} (${why}): ` +
      'get it again or make it anew',
  );
}

/** @throws UserError when the wanted entries unpack to more than {@link MAX_ARCHIVE_BYTES}. */
export function checkTotalSize(archive: string, bytes: number): void {
  if (bytes <= MAX_ARCHIVE_BYTES) return;
  throw new UserError(
    `${archive} unpacks to ${Math.round(bytes / 2 ** 20)} MiB of images, more than the ` +
      `${MAX_ARCHIVE_BYTES / 2 ** 20} MiB read from an archive: unpack it and give the folder`,
  );
}
