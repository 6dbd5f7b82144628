import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '@killme/command-line';
import { UserError } from '@killme/model';
import { publishFolder, refuseOccupied } from './files/publish-folder.ts';
import { layOut } from './sources/layout.ts';
import { openSource } from './sources/open-source.ts';

/** The archive that the article links to; its images are not ours to ship. */
export const OFFICIAL_ARCHIVE = {
  url: 'https://raw.githubusercontent.com/taku-buntu/Killme_DCGAN/master/kill_me_baby_datasets.rar',
  /** What git calls the file in that repository; see {@link gitBlobSha1}. */
  blobSha1: '6af402a8a0ae48139c4acd483f839eff3da4c493',
};

const MAX_DOWNLOAD_BYTES = 512 * 2 ** 20;

export interface FetchOfficialOptions {
  /** A new folder; class folders come to lie directly in it. */
  to: string;
  from?: string | undefined;
  blobSha1?: string | undefined;
  log?: (line: string) => void;
}

/**
 * Downloads the archive of the article, checks that it is the very same file, and unpacks its images.
 * @returns how many images were unpacked.
 * @throws UserError when `to` holds something, the download fails, the file is another one, or the
 * disk is full; nothing is left at `to` then.
 */
export async function fetchOfficial({
  to,
  from = OFFICIAL_ARCHIVE.url,
  blobSha1 = OFFICIAL_ARCHIVE.blobSha1,
  log = () => {},
}: FetchOfficialOptions): Promise<number> {
  await refuseOccupied(to);
  log(`downloading ${from}`);
  const archive = await download(from);
  const actual = gitBlobSha1(archive);
  if (actual !== blobSha1) {
    throw new UserError(
      `${from} is not the archive of the article: git blob sha1 ${actual}, expected ${blobSha1} ` +
        `(${archive.length} bytes came); nothing was written, try again or another --from`,
    );
  }
  log(`${archive.length} bytes, git blob sha1 ${actual} as expected`);
  let count = 0;
  await publishFolder(to, async (folder) => {
    count = await unpack(archive, folder);
  });
  return count;
}

/** What `git hash-object` prints: SHA-1 over `blob <size>`, a zero byte and the content. */
export function gitBlobSha1(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

async function download(from: string): Promise<Uint8Array> {
  if (!URL.canParse(from) || !/^https?:$/.test(new URL(from).protocol)) {
    throw new UserError(`--from must be an http or https address, got ${from}`);
  }
  const response = await fetch(from).catch((error: unknown) => {
    throw new UserError(`no answer from ${from} (${networkReason(error)}): check the connection`);
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new UserError(
      `${from} answered ${response.status} ${response.statusText}: try later or another --from`,
    );
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > MAX_DOWNLOAD_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new UserError(
      `the download of ${from} broke off after ${size} bytes (${networkReason(error)}): try again`,
    );
  }
  if (size > MAX_DOWNLOAD_BYTES) {
    throw new UserError(
      `${from} sends more than ${MAX_DOWNLOAD_BYTES / 2 ** 20} MiB: it is not the archive of the article`,
    );
  }
  return Buffer.concat(chunks);
}

/** `fetch` wraps what really happened in one or more causes. */
function networkReason(error: unknown): string {
  return error instanceof Error && error.cause !== undefined
    ? networkReason(error.cause)
    : errorCode(error);
}

async function unpack(archive: Uint8Array, folder: string): Promise<number> {
  const file = join(folder, '.archive');
  await writeFile(file, archive);
  const source = await openSource(file);
  try {
    const { images, base } = layOut('', source.files);
    const fileOf = new Map(images.map(({ path, file }) => [path, file]));
    for await (const { path, bytes } of source.read([...fileOf.keys()])) {
      const target = join(folder, fileOf.get(path)!.slice(base.length));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, await bytes());
    }
    if (images.length === 0) throw new UserError('the archive holds no image');
    return images.length;
  } finally {
    await source.close();
    await rm(file, { force: true });
  }
}
