import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createApp } from './app.ts';
import { compileBinaries, compileWebpBinary } from './disk.ts';
import { openGenerator } from './generator.ts';
import { randomGeneratorFiles } from './testing/index.ts';
import { createWorkload } from './workload.ts';

let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  const files = await randomGeneratorFiles();
  const generator = await openGenerator({
    readFile: async (name) => files.get(name)!,
    loadBinaries: compileBinaries,
  });
  app = createApp({
    loadGenerator: async () => generator,
    readPage: async () => new Uint8Array(),
    loadWebpBinary: compileWebpBinary,
  });
});

async function progress(): Promise<{ drawn: number; underWay: number }> {
  const health = (await (await app.request('/healthz')).json()) as {
    pictures: { drawn: number; underWay: number };
  };
  return health.pictures;
}

describe('more than can be drawn', () => {
  it('is refused at once, with when to come again, and what was taken on is drawn', async () => {
    const walks = Array.from({ length: 6 }, (_, i) => `/morph?from=a&to=${i}&steps=64`);
    const answers = await Promise.all(walks.map((path) => app.request(path)));
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4); // 256 pictures
    expect(refused).toHaveLength(2);
    for (const answer of refused) {
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(await answer.json()).toMatchObject({
        status: 503,
        detail: 'Too many pictures are being drawn; try again in a moment.',
      });
    }
    expect((await progress()).underWay).toBe(0);
    expect((await app.request(walks[5]!)).status).toBe(200);
  });

  it('is not what two hundred single pictures are', async () => {
    const paths = Array.from({ length: 200 }, (_, i) => `/img?seed=${i}`);
    const answers = await Promise.all(paths.map((path) => app.request(path)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
  });
});

describe('a client that goes away', () => {
  it('has no more drawn for it, and makes room for others', async () => {
    const before = await progress();
    const left = new AbortController();
    const answer = app.request('/morph?from=a&to=b&steps=64', { signal: left.signal });
    while ((await progress()).drawn < before.drawn + 3) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    expect((await progress()).underWay).toBe(64);
    left.abort();
    expect((await answer).status).toBe(499);
    const { drawn, underWay } = await progress();
    expect(drawn - before.drawn).toBeLessThan(64);
    expect(underWay).toBe(0);
  });
});

describe('requests for several pictures', () => {
  it('are drawn one after the other, single pictures in between', async () => {
    const { run } = createWorkload();
    const { signal } = new AbortController();
    const drawn: string[] = [];
    const request = (name: string, pictures: number) =>
      run({ pictures, signal }, async ({ next }) => {
        for (let i = 0; i < pictures; i++) {
          await next();
          drawn.push(name);
        }
      });
    await Promise.all([request('a', 3), request('b', 3), request('single', 1), request('c', 2)]);
    expect(drawn.filter((name) => name !== 'single').join('')).toBe('aaabbbcc');
    expect(drawn.indexOf('single')).toBeLessThan(3);
  });

  it('do not wait for one whose client has left', async () => {
    const { run, underWay } = createWorkload();
    const left = new AbortController();
    const loop = async (next: () => Promise<void>) => {
      for (;;) await next();
    };
    const first = run({ pictures: 2, signal: left.signal }, ({ next }) => loop(next));
    const second = run({ pictures: 2, signal: new AbortController().signal }, async ({ next }) => {
      await next();
      return 'drawn';
    });
    left.abort();
    await expect(first).rejects.toThrow('aborted');
    expect(await second).toBe('drawn');
    expect(underWay()).toBe(0);
  });
});

describe('a request that the runtime has ended', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('keeps its place for a minute only', async () => {
    vi.useFakeTimers();
    const { run, underWay } = createWorkload();
    const { signal } = new AbortController();
    const never = () => new Promise<never>(() => undefined);
    for (let i = 0; i < 4; i++) void run({ pictures: 64, signal }, never);
    const one = () => run({ pictures: 1, signal }, async () => 'drawn');
    await expect(one()).rejects.toMatchObject({ status: 503 });
    vi.advanceTimersByTime(61_000);
    expect(await one()).toBe('drawn');
    expect(underWay()).toBe(0);
  });
});
