import { crc32 } from 'node:zlib';
import { UserError } from '@killme/model';
import { type Entry, getFileNameLowLevel, openPromise, type ZipFile } from 'yauzl';
import {
  checkTotalSize,
  normalizeEntryName,
  refuseDamaged,
  refuseEncrypted,
} from './archive-faults.ts';
import type { Source, SourceFile } from './source.ts';
import { decodeNames } from './zip-names.ts';

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
  const all: Entry[] = [];
  for await (const entry of zip.eachEntry()) all.push(entry);
  const names = decodeNames(all.filter((entry) => !declaresUtf8(entry)));

  const entries = new Map<string, Entry>();
  for (const entry of all) {
    const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry;
    const name =
      names.get(entry) ??
      getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
    // Old Windows programs write their own separator, which the format does not allow.
    const path = normalizeEntryName(archive, name.replaceAll('\\', '/'));
    if (path === '' || path.endsWith('/')) continue;
    if (entry.isEncrypted()) refuseEncrypted(archive, path);
    if (entries.has(path)) refuseDamaged(archive, 'the entry is there twice', path);
    entries.set(path, entry);
  }
  return entries;
}

/** By its flag, or by Info-ZIP's extra field with the name in UTF-8. */
function declaresUtf8({ generalPurposeBitFlag, extraFields }: Entry): boolean {
  return (generalPurposeBitFlag & 0x800) !== 0 || extraFields.some(({ id }) => id === 0x7075);
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
  refuseMethod(archive, path, entry.compressionMethod);
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

/** Methods of PKWARE's APPNOTE, 4.4.5, that other programs write. */
const METHODS: Readonly<Record<number, string>> = {
  1: 'Shrink',
  6: 'Implode',
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'XZ',
  98: 'PPMd',
};

/** @throws UserError unless the entry is stored (0) or deflated (8). */
function refuseMethod(archive: string, path: string, method: number): void {
  if (method === 0 || method === 8) return;
  throw new UserError(
    `${archive} is compressed with ${METHODS[method] ?? `method ${method}`} (entry ${JSON.stringify(path)}), ` +
      'which is not read: make it again with Deflate, or unpack it and give the folder',
  );
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
