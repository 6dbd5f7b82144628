import { mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { diskStore, sweepDisk } from './disk-store.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'killme-store-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});

const keyOf = (i: number) => `hash/img/${i.toString(16).padStart(2, '0')}tag.png`;
const picture = (byte: number) => new Uint8Array(996).fill(byte);

/** Ten pictures of 1,000 bytes with their checksum, each used a minute after the one before. */
async function tenPictures() {
  let written = 0;
  const store = diskStore(folder, (bytes) => {
    written += bytes;
  });
  for (let i = 0; i < 10; i++) {
    await store.keep(keyOf(i), { bytes: picture(i), contentType: 'image/png' });
    const used = new Date(Date.UTC(2026, 0, 1, 0, i));
    await utimes(join(folder, `hash/img/0${i}/0${i}tag.png`), used, used);
  }
  return { store, written };
}

const kept = async (store: ReturnType<typeof diskStore>) => {
  const found = await Promise.all(Array.from({ length: 10 }, (_, i) => store.find(keyOf(i))));
  return found.flatMap((bytes, i) => (bytes ? [i] : []));
};

describe('a store on disk', () => {
  it('gives back what it was given, to another store of the folder too', async () => {
    const { store, written } = await tenPictures();
    expect(written).toBe(10_000);
    expect(await store.find(keyOf(3))).toEqual(Buffer.from(picture(3)));
    const other = diskStore(folder, () => undefined);
    expect(await other.find(keyOf(3))).toEqual(Buffer.from(picture(3)));
    expect(await other.find('hash/img/nothing.png')).toBeUndefined();
  });

  it('does not give, and removes, what was cut short or changed', async () => {
    const { store } = await tenPictures();
    const pathOf = (i: number) => join(folder, `hash/img/0${i}/0${i}tag.png`);
    await truncate(pathOf(1), 500);
    await truncate(pathOf(2), 0);
    await writeFile(pathOf(3), new Uint8Array(1000).fill(3));
    expect(await kept(store)).toEqual([0, 4, 5, 6, 7, 8, 9]);
    expect(await readdir(join(folder, 'hash/img/01'))).toEqual([]);
  });

  it('is swept down to nine tenths of its bound, what was used last stays', async () => {
    const { store } = await tenPictures();
    expect(await sweepDisk(folder, 10_000)).toBe(10_000);
    await store.find(keyOf(0));
    expect(await sweepDisk(folder, 5000)).toBe(4000);
    expect(await kept(store)).toEqual([0, 7, 8, 9]);
  });

  it('is rid of what killed processes have left', async () => {
    await tenPictures();
    const [old, fresh] = ['.00tag.png.1.tmp', '.00tag.png.2.tmp'].map((name) =>
      join(folder, 'hash/img/00', name),
    );
    await writeFile(old!, 'half');
    await writeFile(fresh!, 'half');
    const anHourAgo = new Date(Date.now() - 3_700_000);
    await utimes(old!, anHourAgo, anHourAgo);
    await sweepDisk(folder, 1e6);
    expect(await readdir(join(folder, 'hash/img/00'))).toEqual(['.00tag.png.2.tmp', '00tag.png']);
  });

  it('is empty where there is no folder', async () => {
    expect(await sweepDisk(join(folder, 'none'), 1)).toBe(0);
  });
});
