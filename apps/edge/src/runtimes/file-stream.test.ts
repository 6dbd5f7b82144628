import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { openFile } from './file-stream.ts';

const MIB = 2 ** 20;
let folder: string;
let path: string;
const bytes = Uint8Array.from({ length: MIB }, (_, i) => (i * i) >> 8);

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-stream-`);
  path = `${folder}/weights`;
  await writeFile(path, bytes);
});

afterAll(() => rm(folder, { recursive: true }));

afterEach(() => {
  vi.useRealTimers();
});

it('streams a file whole', async () => {
  const stream = (await openFile(path)).stream();
  expect(Buffer.from(await new Response(stream).arrayBuffer()).equals(bytes)).toBe(true);
});

it('reads a piece when the client has taken the one before', async () => {
  const reader = (await openFile(path)).stream().getReader();
  const { value } = await reader.read();
  expect(value).toEqual(bytes.subarray(0, 65_536));
  await writeFile(path, bytes.toReversed()); // what comes next is not in memory yet
  expect((await reader.read()).value).toEqual(bytes.toReversed().subarray(65_536, 131_072));
  await reader.cancel();
  await writeFile(path, bytes);
});

it('gives up a client that takes nothing for half a minute', async () => {
  vi.useFakeTimers();
  const reader = (await openFile(path)).stream().getReader();
  await reader.read();
  vi.advanceTimersByTime(31_000);
  await expect(reader.read()).rejects.toThrow('nothing was taken for 30 s');
});

it('tells a file that was written anew', async () => {
  const before = await openFile(path);
  await before.close();
  await writeFile(path, bytes.subarray(1));
  const after = await openFile(path);
  await after.close();
  expect(after.version).not.toBe(before.version);
});
