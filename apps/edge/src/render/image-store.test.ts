import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createApp } from '../app.ts';
import type { Generator } from '../generator/generator.ts';
import { compileWebpBinary } from '../runtimes/disk.ts';
import { openRandomGenerator } from '../testing/index.ts';
import type { ImageStore } from './image-store.ts';

/** A store in memory; workerd's own are tested in workerd (test/workerd). */
function memoryStore(name: ImageStore['name']): ImageStore & { keys: string[] } {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    name,
    get keys() {
      return [...kept.keys()];
    },
    async find(key) {
      const bytes = kept.get(key);
      return bytes && new Response(bytes).body!;
    },
    async keep(key, { bytes }) {
      kept.set(key, bytes);
    },
  };
}

const brokenStore = (name: ImageStore['name']): ImageStore => ({
  name,
  find: () => Promise.reject(new Error('out of order')),
  keep: () => Promise.reject(new Error('out of order')),
});

const small = await openRandomGenerator({ imageSize: 64 });
const other = await openRandomGenerator({ imageSize: 64, encoding: 'float16' });

/** A server just started: nothing is loaded yet. */
function serve(generator: Generator, stores: readonly ImageStore[]) {
  const loadGenerator = vi.fn(async () => generator);
  let behind: Promise<unknown> = Promise.resolve();
  const app = createApp({
    listGenerators: async () => [
      { name: 'random', describe: async () => generator, load: loadGenerator },
    ],
    readPage: async () => new Uint8Array(),
    loadWebpBinary: compileWebpBinary,
    stores,
    waitUntil: (work) => {
      behind = Promise.all([behind, work]);
    },
  });
  return {
    loadGenerator,
    /** The answer, when everything behind it is done too. */
    async get(path: string, init?: RequestInit) {
      const answer = await app.request(path, init);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      await behind;
      return {
        status: answer.status,
        source: answer.headers.get('killme-source'),
        tag: answer.headers.get('etag')!,
        headers: answer.headers,
        bytes,
      };
    },
  };
}

let cache: ReturnType<typeof memoryStore>;
let bucket: ReturnType<typeof memoryStore>;

beforeEach(() => {
  cache = memoryStore('cache');
  bucket = memoryStore('r2');
});

describe('a picture that was rendered once', () => {
  it('is found in the cache, by a server that has loaded no weights', async () => {
    const rendered = await serve(small, [cache]).get('/img?seed=alice&download=1');
    const server = serve(small, [cache]);
    const found = await server.get('/img?seed=alice&download=1');
    expect([rendered.source, found.source]).toEqual(['rendered', 'cache']);
    expect(found.bytes).toEqual(rendered.bytes);
    for (const name of ['content-type', 'etag', 'cache-control', 'content-disposition']) {
      expect(found.headers.get(name)).toBe(rendered.headers.get(name));
    }
    expect(server.loadGenerator).not.toHaveBeenCalled();
  });

  it('is one, however its query is written', async () => {
    const server = serve(small, [cache]);
    await server.get('/morph?from=a&to=b%20c');
    for (const query of [
      'to=b+c&from=a',
      'from=%61&&to=b%20c&steps=10',
      'path=linear&to=b+c&from=a',
    ]) {
      expect((await server.get(`/morph?${query}`)).source).toBe('cache');
    }
    await server.get('/img?seed=a');
    expect((await server.get('/img?size=64&seed=a&format=png')).source).toBe('cache');
    expect((await server.get('/img?seed=a&download=1')).source).toBe('cache');
    expect(cache.keys).toHaveLength(2);
  });

  it.each(['/img?seed=a&colour=red', '/img?seed=a&seed=a', '/img', '/nothing'])(
    'is not %s: nothing is kept',
    async (path) => {
      await serve(small, [cache, bucket]).get(path);
      expect([cache.keys, bucket.keys]).toEqual([[], []]);
    },
  );

  it('comes from the bucket where the cache has lost it, and is in the cache again', async () => {
    const { bytes } = await serve(small, [bucket]).get('/mix?plus=a,b&format=webp');
    const server = serve(small, [cache, bucket]);
    const first = await server.get('/mix?plus=a,b&format=webp');
    const second = await server.get('/mix?plus=a,b&format=webp');
    expect([first.source, second.source]).toEqual(['r2', 'cache']);
    expect([first.bytes, second.bytes]).toEqual([bytes, bytes]);
    expect(server.loadGenerator).not.toHaveBeenCalled();
  });

  it('is not an answer of another generator', async () => {
    const old = await serve(small, [cache, bucket]).get('/img?seed=a');
    const fresh = await serve(other, [cache, bucket]).get('/img?seed=a');
    expect(fresh.source).toBe('rendered');
    expect(fresh.tag).not.toBe(old.tag);
    expect(fresh.bytes).not.toEqual(old.bytes);
    const again = await serve(small, [cache, bucket]).get('/img?seed=a');
    expect([again.source, again.bytes]).toEqual(['cache', old.bytes]);
    for (const { hash } of [small, other]) {
      expect(bucket.keys.filter((key) => key.startsWith(`${hash}/img/`))).toHaveLength(1);
    }
  });

  it('is not needed for a 304, nor are weights', async () => {
    const { tag } = await serve(small, []).get('/grid?seed=a&n=2');
    const server = serve(small, [brokenStore('cache')]);
    const answer = await server.get('/grid?n=2&seed=a', { headers: { 'If-None-Match': tag } });
    expect(answer.status).toBe(304);
    expect(server.loadGenerator).not.toHaveBeenCalled();
  });

  it('is described by HEAD, and not rendered for it', async () => {
    const server = serve(small, [cache]);
    const before = await server.get('/img?seed=a', { method: 'HEAD' });
    expect([before.source, server.loadGenerator.mock.calls]).toEqual(['rendered', []]);
    await server.get('/img?seed=a');
    expect((await server.get('/img?seed=a', { method: 'HEAD' })).source).toBe('cache');
  });
});

describe('a store that is out of order', () => {
  it('costs a rendering, not the answer', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const { bytes } = await serve(small, []).get('/img?seed=a');
    const rendered = await serve(small, [brokenStore('cache'), brokenStore('r2')]).get(
      '/img?seed=a',
    );
    expect([rendered.status, rendered.source, rendered.bytes]).toEqual([200, 'rendered', bytes]);
    const kept = serve(small, [brokenStore('cache'), bucket]);
    expect((await kept.get('/img?seed=a')).source).toBe('rendered');
    expect((await kept.get('/img?seed=a')).source).toBe('r2');
    expect(warn.mock.calls.flat()).toEqual(
      ['cache cannot be read', 'r2 cannot be read', 'cache cannot keep a picture']
        .concat('r2 cannot keep a picture', 'cache cannot be read', 'cache cannot keep a picture')
        .map((what) => `${what}: Error: out of order`),
    );
    warn.mockRestore();
  });
});
