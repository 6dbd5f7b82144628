import { crc32 } from 'node:zlib';
import { UserError } from '@killme/model';
import { type Entry, getFileNameLowLevel, openPromise, type ZipFile } from 'yauzl';
import {
  checkEntryName,
  checkTotalSize,
  refuseDamaged,
  refuseEncrypted,
} from './archive-faults.ts';
import type { Source, SourceFile } from './source.ts';

/** @throws UserError when the archive is damaged, encrypted or names an entry outside of itself. */
export async function openZip(archive: string): Promise<Source> {
  // Names come as bytes: yauzl's own check would fail on a bad one without saying which it is.
  const zip = await openPromise(archive, { autoClose: false, decodeStrings: false }).catch(
    (error) => refuseDamaged(archive, message(error)),
  );
  const entries = await listEntries(archive, zip).catch((error: unknown) => {
    zip.close();
    if (error instanceof UserError) throw error;
    return refuseDamaged(archive, message(error));
  });
  return {
    files: [...entries].map(([path, entry]) => describe(path, entry)),
    async *read(paths) {
      const wanted = paths.map((path) => ({ path, entry: entries.get(path)! }));
      checkTotalSize(
        archive,
        wanted.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0),
      );
      for (const { path, entry } of wanted) {
        yield { path, bytes: () => readEntry(archive, zip, path, entry) };
      }
    },
    close: async () => zip.close(),
  };
}

async function listEntries(archive: string, zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry;
    const path = getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
    checkEntryName(archive, path);
    if (path.endsWith('/')) continue;
    if (entry.isEncrypted()) refuseEncrypted(archive, path);
    if (entries.has(path)) refuseDamaged(archive, 'the entry is there twice', path);
    entries.set(path, entry);
  }
  return entries;
}

function describe(path: string, entry: Entry): SourceFile {
  const fileType = (entry.externalFileAttributes >>> 16) & 0o170000;
  const isLink = fileType === 0o120000;
  return { path, size: entry.uncompressedSize, ...(isLink && { fault: 'a symbolic link' }) };
}

async function readEntry(
  archive: string,
  zip: ZipFile,
  path: string,
  entry: Entry,
): Promise<Uint8Array> {
  // yauzl stops a stream that grows past the size the entry declares, so no bomb can unfold here.
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk);
  } catch (error) {
    refuseDamaged(archive, message(error), path);
  }
  const bytes = Buffer.concat(chunks);
  if (crc32(bytes) !== entry.crc32) refuseDamaged(archive, 'its checksum does not match', path);
  return bytes;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
