/**
 * Rendered pictures on disk, for all processes of a server, and for the next server: what a key names
 * never changes. A file is written whole and ends with a checksum, so one that a crash has cut short
 * is rendered anew.
 *
 * @module
 */
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode, TEMPORARY_NAME, writeFileWhole } from '@killme/command-line';
import type { ImageStore } from '../../render/image-store.ts';

const CHECKSUM_BYTES = 4;

/** A sweep goes down to so much of the bound, so that the next one is not needed at once. */
const SWEPT_TO = 0.9;

/** Older than any write takes: what a killed process has left. */
const ABANDONED_MS = 3_600_000;

/** Files looked at at a time. */
const AT_ONCE = 32;

/** @param onKept gets the bytes of each file that was written. */
export function diskStore(folder: string, onKept: (bytes: number) => void): ImageStore {
  const made = new Set<string>();
  return {
    name: 'disk',
    async find(key) {
      const path = pathOf(folder, key);
      const file = await readFile(path).catch(nothingWhere('ENOENT'));
      if (!file) return undefined;
      const bytes = file.subarray(0, -CHECKSUM_BYTES);
      const isWhole =
        file.length > CHECKSUM_BYTES && file.readUInt32LE(bytes.length) === crc32(bytes);
      if (!isWhole) {
        await rm(path, { force: true });
        return undefined;
      }
      const now = new Date();
      await utimes(path, now, now).catch(nothingWhere('ENOENT')); // a sweep has taken it
      return bytes;
    },
    async keep(key, { bytes }) {
      const path = pathOf(folder, key);
      const parent = dirname(path);
      if (!made.has(parent)) await mkdir(parent, { recursive: true });
      made.add(parent);
      const file = Buffer.alloc(bytes.length + CHECKSUM_BYTES);
      file.set(bytes);
      file.writeUInt32LE(crc32(bytes), bytes.length);
      try {
        await writeFileWhole(path, file, { flush: false });
      } catch (error) {
        made.delete(parent); // perhaps the folder was removed
        throw error;
      }
      onKept(file.length);
    },
  };
}

/** Some thousand files in a folder at most. */
function pathOf(folder: string, key: string): string {
  const at = key.lastIndexOf('/') + 1;
  return join(folder, key.slice(0, at), key.slice(at, at + 2), key.slice(at));
}

const nothingWhere = (code: string) => (error: unknown) => {
  if (errorCode(error) === code) return undefined;
  throw error;
};

interface Kept {
  path: string;
  bytes: number;
  usedMs: number;
}

/**
 * Removes what was not used for the longest time until no more than nine tenths of the bound are
 * left, if there is more than the bound.
 * @returns the bytes that are left.
 */
export async function sweepDisk(folder: string, mostBytes: number): Promise<number> {
  const files = await listFiles(folder);
  let left = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (left <= mostBytes) return left;
  for (const { path, bytes } of files.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (left <= mostBytes * SWEPT_TO) break;
    await rm(path, { force: true });
    left -= bytes;
  }
  return left;
}

/** All pictures below a folder. What killed processes have left goes. */
async function listFiles(folder: string): Promise<Kept[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    nothingWhere('ENOENT'),
  );
  const names = (entries ?? []).filter((entry) => entry.isFile());
  const files: Kept[] = [];
  for (let i = 0; i < names.length; i += AT_ONCE) {
    const some = names.slice(i, i + AT_ONCE).map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const file = await stat(path).catch(nothingWhere('ENOENT')); // another sweep has taken it
      if (!file) return;
      const isAbandoned = TEMPORARY_NAME.test(name) && Date.now() - file.mtimeMs > ABANDONED_MS;
      if (isAbandoned) await rm(path, { force: true });
      else files.push({ path, bytes: file.size, usedMs: file.mtimeMs });
    });
    await Promise.all(some);
  }
  return files;
}
