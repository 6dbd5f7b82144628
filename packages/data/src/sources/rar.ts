import { readFile } from 'node:fs/promises';
import { UserError } from '@killme/model';
import { createExtractorFromData, type FileHeader, UnrarError } from 'node-unrar-js';
import {
  checkTotalSize,
  MAX_ARCHIVE_BYTES,
  normalizeEntryName,
  refuseDamaged,
  refuseEncrypted,
} from './archive-faults.ts';
import type { Source } from './source.ts';

type Extractor = Awaited<ReturnType<typeof createExtractorFromData>>;

/**
 * Opens a RAR4 or RAR5 archive, solid ones included.
 * @throws UserError when it is damaged, encrypted, one of several volumes, larger than
 * {@link MAX_ARCHIVE_BYTES}, or names an entry outside of itself.
 */
export async function openRar(archive: string, size: number): Promise<Source> {
  checkTotalSize(archive, size);
  const { buffer: data } = Uint8Array.from(await readFile(archive));
  const headers = await withUnrar(archive, data, (extractor) => {
    const { arcHeader, fileHeaders } = extractor.getFileList();
    if (arcHeader.flags.volume) {
      throw new UserError(
        `${archive} is one of several volumes: unpack all of them together and give the folder`,
      );
    }
    return listHeaders(archive, fileHeaders);
  });
  return {
    files: [...headers].map(([path, { unpSize }]) => ({ path, size: unpSize })),
    async *read(paths) {
      const wanted = new Map(paths.map((path) => [headers.get(path)!.name, path]));
      checkTotalSize(
        archive,
        paths.reduce((sum, path) => sum + headers.get(path)!.unpSize, 0),
      );
      // All at once, because the library keeps every file it unpacked until it is dropped anyway.
      const unpacked = await withUnrar(archive, data, (extractor) => [
        ...extractor.extract({ files: ({ name }) => wanted.has(name) }).files,
      ]);
      for (const { fileHeader, extraction } of unpacked) {
        const bytes = extraction ?? new Uint8Array();
        yield { path: wanted.get(fileHeader.name)!, bytes: async () => bytes };
      }
    },
    close: async () => {},
  };
}

function listHeaders(archive: string, headers: Iterable<FileHeader>): Map<string, FileHeader> {
  const files = new Map<string, FileHeader>();
  for (const header of headers) {
    const path = normalizeEntryName(archive, header.name);
    if (header.flags.directory) continue;
    if (header.flags.encrypted) refuseEncrypted(archive, path);
    if (files.has(path)) refuseDamaged(archive, 'the entry is there twice', path);
    files.set(path, header);
  }
  return files;
}

// The library keeps its one open archive in a global, so two archives must never be open at once.
let unrarFree: Promise<unknown> = Promise.resolve();

function withUnrar<T>(
  archive: string,
  data: ArrayBuffer,
  use: (extractor: Extractor) => T,
): Promise<T> {
  const turn = unrarFree.then(async () => {
    try {
      return use(await createExtractorFromData({ data }));
    } catch (error) {
      if (!(error instanceof UnrarError)) throw error;
      if (error.reason === 'ERAR_MISSING_PASSWORD') refuseEncrypted(archive, error.file);
      return refuseDamaged(archive, error.message, error.file);
    }
  });
  unrarFree = turn.catch(() => {});
  return turn;
}
