import type * as FileSystem from 'node:fs/promises';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@killme/model';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fetchOfficial, gitBlobSha1 } from './fetch-official.ts';
import { makeRar5 } from './testing/archives.ts';
import { BLUE, GREEN, makeFolder, RED } from './testing/files.ts';
import { serve } from './testing/server.ts';

// The real functions, of which one call can be made to fail as on a full disk.
vi.mock('node:fs/promises', { spy: true });

const archive = makeRar5([
  { path: 'set/01/01_001.png', bytes: RED },
  { path: 'set/01/01_002.png', bytes: GREEN },
  { path: 'set/02/02_001.png', bytes: BLUE },
  { path: 'set/notes.txt', bytes: Buffer.from('hello') },
]);
const blobSha1 = gitBlobSha1(archive);
const serveArchive = () => serve((_, response) => response.end(archive));

/** Runs a fetch that must fail with one line and leave nothing in `folder`. */
async function faultOf(options: { from: string; blobSha1?: string | undefined }): Promise<string> {
  const folder = await makeFolder();
  const error = await fetchOfficial({
    blobSha1,
    ...options,
    to: join(folder, 'data', 'icons'),
  }).then(
    () => new Error('no fault'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  const left = await readdir(folder, { recursive: true });
  expect(left.filter((path) => path !== 'data')).toEqual([]);
  return error instanceof Error ? error.message : '';
}

describe('gitBlobSha1', () => {
  it('is what git hash-object prints', () => {
    expect(gitBlobSha1(Buffer.from('hello\n'))).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
    expect(gitBlobSha1(new Uint8Array())).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
  });
});

describe('fetchOfficial', () => {
  it('downloads, checks and unpacks the images into class folders', async () => {
    const to = join(await makeFolder(), 'data', 'icons');
    const lines: string[] = [];
    const from = await serveArchive();
    const count = await fetchOfficial({ from, to, blobSha1, log: (line) => lines.push(line) });
    expect(count).toBe(3);
    expect((await readdir(to, { recursive: true })).sort()).toEqual([
      '01',
      '01/01_001.png',
      '01/01_002.png',
      '02',
      '02/02_001.png',
    ]);
    expect(await readFile(join(to, '02/02_001.png'))).toEqual(BLUE);
    expect(await readdir(join(to, '..'))).toEqual(['icons']);
    expect(lines).toEqual([
      `downloading ${from}`,
      `${archive.length} bytes, git blob sha1 ${blobSha1} as expected`,
    ]);
  });

  it("asks for the article's own archive when no other is given", async () => {
    const from = await serveArchive();
    expect(await faultOf({ from, blobSha1: undefined })).toBe(
      `${from} is not the archive of the article: git blob sha1 ${blobSha1}, expected ` +
        `6af402a8a0ae48139c4acd483f839eff3da4c493 (${archive.length} bytes came); nothing was ` +
        'written, try again or another --from',
    );
  });

  it('names an HTTP error', async () => {
    const from = await serve((_, response) => response.writeHead(404).end('gone'));
    expect(await faultOf({ from })).toBe(
      `${from} answered 404 Not Found: try later or another --from`,
    );
  });

  it('says that nobody answers', async () => {
    expect(await faultOf({ from: 'http://127.0.0.1:9/icons.rar' })).toMatch(
      /^no answer from http:\/\/127\.0\.0\.1:9\/icons\.rar \(.+\): check the connection$/,
    );
  });

  it('says that the download broke off', async () => {
    const from = await serve((_, response) => {
      response.writeHead(200, { 'content-length': archive.length });
      response.write(archive.subarray(0, 100), () => response.destroy());
    });
    expect(await faultOf({ from })).toMatch(/broke off after \d+ bytes \(.+\): try again$/);
  });

  it.each(['icons.rar', 'file:///etc/passwd'])('takes web addresses only, not %s', async (from) => {
    expect(await faultOf({ from })).toBe(`--from must be an http or https address, got ${from}`);
  });

  it('refuses an archive that leads out of its folder', async () => {
    const evil = makeRar5([{ path: '../evil.png', bytes: RED }]);
    const from = await serve((_, response) => response.end(evil));
    expect(await faultOf({ from, blobSha1: gitBlobSha1(evil) })).toContain('"../evil.png"');
  });

  it('says that the disk is full', async () => {
    const from = await serveArchive();
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
    const { writeFile: write } = await vi.importActual<typeof FileSystem>('node:fs/promises');
    vi.mocked(writeFile).mockImplementation((path, ...rest) =>
      String(path).endsWith('01_002.png') ? Promise.reject(full) : write(path, ...rest),
    );
    onTestFinished(() => {
      vi.mocked(writeFile).mockReset();
    });
    expect(await faultOf({ from })).toMatch(
      /icons cannot be written \(ENOSPC\): the disk is full: make room and run it again$/,
    );
  });

  it('does not touch a folder that holds something already', async () => {
    const to = await makeFolder({ 'mine.txt': 'x' });
    await expect(fetchOfficial({ from: await serveArchive(), to, blobSha1 })).rejects.toThrow(
      `${to} already holds files: remove it or choose another folder`,
    );
    expect(await readdir(to)).toEqual(['mine.txt']);
  });
});
