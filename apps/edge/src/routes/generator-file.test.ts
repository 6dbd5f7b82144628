import { loadGeneratorFile } from '@killme/model';
import { beforeAll, expect, it, vi } from 'vitest';
import { createApp } from '../app.ts';
import { openGenerator } from '../generator/generator.ts';
import { compileBinaries, compileWebpBinary } from '../runtimes/disk.ts';
import { randomGeneratorFiles } from '../testing/index.ts';

let files: Awaited<ReturnType<typeof randomGeneratorFiles>>;
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  files = await randomGeneratorFiles();
  const readFile = async (name: string) => files.get(name)!;
  app = createApp({
    listGenerators: async () => [
      {
        name: 'random',
        load: () => openGenerator({ readFile, loadBinaries: compileBinaries }),
        openFile: async (name) => new Response(await readFile(name)).body!,
      },
    ],
    loadWebpBinary: compileWebpBinary,
    readPage: async () => new Uint8Array(),
  });
});

it('gives the files of the generator, from which it can be loaded again', async () => {
  const { hash } = await loadGeneratorFile(async (name) => {
    const response = await app.request(`/generator/${name}`);
    expect(response.headers.get('cache-control')).toBe('no-cache');
    return new Uint8Array(await response.arrayBuffer());
  });
  expect(await (await app.request('/model')).json()).toMatchObject({ hash });
});

it('answers 304 to who has the file already', async () => {
  const tag = (await app.request('/generator/weights-0.bin')).headers.get('etag')!;
  const again = await app.request('/generator/weights-0.bin', {
    headers: { 'If-None-Match': tag },
  });
  expect([again.status, await again.text()]).toEqual([304, '']);
});

it('is within the quota of its sender, or 429', async () => {
  const openFile = vi.fn();
  const limited = createApp({
    listGenerators: async () => [
      {
        name: 'random',
        load: () =>
          openGenerator({
            readFile: async (name) => files.get(name)!,
            loadBinaries: compileBinaries,
          }),
        openFile,
      },
    ],
    loadWebpBinary: compileWebpBinary,
    readPage: async () => new Uint8Array(),
    withinQuota: async () => false,
  });
  const refused = await limited.request('/generator/weights-0.bin');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
  expect((await limited.request('/generator/weights-0.bin', { method: 'HEAD' })).status).toBe(200);
  expect(openFile).not.toHaveBeenCalled();
});

it.each(['/generator/weights-1.bin', '/generator/..%2Fapp.ts', '/generator/', '/generator/a/b'])(
  'has nothing else: %s',
  async (path) => {
    const response = await app.request(path);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  },
);
