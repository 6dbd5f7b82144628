import { UserError } from '@killme/model';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createApp } from '../app.ts';
import type { Generator } from '../generator/generator.ts';
import { compileWebpBinary } from '../runtimes/disk.ts';
import { openRandomGenerator } from '../testing/index.ts';
import { createWorkload } from './scheduler.ts';

let app: ReturnType<typeof createApp>;
let generator: Generator;

beforeAll(async () => {
  generator = await openRandomGenerator();
  app = createApp({
    listGenerators: async () => [{ name: 'random', load: async () => generator }],
    readPage: async () => new Uint8Array(),
    loadWebpBinary: compileWebpBinary,
  });
});

async function progress(): Promise<{ rendered: number; pending: number }> {
  const health = (await (await app.request('/healthz')).json()) as {
    pictures: { rendered: number; pending: number };
  };
  return health.pictures;
}

describe('more than can be rendered', () => {
  it('is refused at once, with when to come again, and what was taken on is rendered', async () => {
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
        detail: 'Too many pictures are being rendered. Try again in a moment.',
      });
    }
    expect((await progress()).pending).toBe(0);
    expect((await app.request(walks[5]!)).status).toBe(200);
  });

  it('is not what two hundred single pictures are', async () => {
    const paths = Array.from({ length: 200 }, (_, i) => `/img?seed=${i}`);
    const answers = await Promise.all(paths.map((path) => app.request(path)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
  });
});

describe('a client that disconnects', () => {
  it('has no more rendered for it, and makes room for others', async () => {
    const before = await progress();
    const left = new AbortController();
    const answer = app.request('/morph?from=a&to=b&steps=64', { signal: left.signal });
    while ((await progress()).rendered < before.rendered + 3) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    expect((await progress()).pending).toBe(64);
    left.abort();
    expect((await answer).status).toBe(499);
    const { rendered, pending } = await progress();
    expect(rendered - before.rendered).toBeLessThan(64);
    expect(pending).toBe(0);
  });
});

describe('the same, asked for by several at once', () => {
  const renderedFor = async (requests: () => Promise<unknown>): Promise<number> => {
    const before = await progress();
    await requests();
    return (await progress()).rendered - before.rendered;
  };

  it('is rendered once', async () => {
    const answers: Response[] = [];
    const rendered = await renderedFor(async () => {
      const path = '/morph?from=same&to=b&steps=9';
      // In another order, and with a default written out.
      const others = ['/morph?steps=9&to=b&from=same', `${path}&path=linear`];
      const paths = Array.from({ length: 40 }, (_, i) => [path, ...others][i % 3]!);
      answers.push(...(await Promise.all(paths.map((each) => app.request(each)))));
    });
    expect(rendered).toBe(9);
    const bodies = await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    for (const body of bodies) expect(Buffer.from(body).equals(Buffer.from(bodies[0]!))).toBe(true);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('is rendered to its end when the first of them disconnects, and given up when all have disconnected', async () => {
    const clients = Array.from({ length: 3 }, () => new AbortController());
    const ask = (to: string) =>
      clients.map(({ signal }) => app.request(`/morph?from=c&to=${to}&steps=20`, { signal }));
    const begun = async (before: number) => {
      while ((await progress()).rendered < before + 2) await new Promise((r) => setTimeout(r));
    };
    expect(
      await renderedFor(async () => {
        const { rendered } = await progress();
        const answers = ask('d');
        await begun(rendered);
        clients[0]!.abort();
        const statuses = (await Promise.all(answers)).map(({ status }) => status);
        expect(statuses.slice(1)).toEqual([200, 200]);
      }),
    ).toBe(20);
    clients[0] = new AbortController();
    const rendered = await renderedFor(async () => {
      const before = await progress();
      const answers = ask('e');
      await begun(before.rendered);
      for (const client of clients) client.abort();
      // Not joined to what is given up.
      const late = await app.request('/morph?from=c&to=e&steps=20');
      expect(late.status).toBe(200);
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([499, 499, 499]);
    });
    expect(rendered).toBeGreaterThanOrEqual(22);
    expect(rendered).toBeLessThan(40);
    expect((await progress()).pending).toBe(0);
  });

  it('is refused for all when it cannot be rendered, and tried again afterwards', async () => {
    let works = false;
    const broken = createApp({
      listGenerators: async () => [
        {
          name: 'random',
          async load() {
            if (!works) throw new UserError('weights-0.bin is missing');
            return generator;
          },
          describe: async () => generator,
        },
      ],
      readPage: async () => new Uint8Array(),
      loadWebpBinary: compileWebpBinary,
    });
    const ask = () => Promise.all([1, 2, 3].map(() => broken.request('/img?seed=a')));
    expect((await ask()).map(({ status }) => status)).toEqual([503, 503, 503]);
    works = true;
    expect((await ask()).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('requests for several pictures', () => {
  it('are rendered one after the other, single pictures in between', async () => {
    const { run } = createWorkload();
    const { signal } = new AbortController();
    const rendered: string[] = [];
    const request = (name: string, pictures: number) =>
      run({ pictures, signal }, async ({ next }) => {
        for (let i = 0; i < pictures; i++) {
          await next();
          rendered.push(name);
        }
      });
    await Promise.all([request('a', 3), request('b', 3), request('single', 1), request('c', 2)]);
    expect(rendered.filter((name) => name !== 'single').join('')).toBe('aaabbbcc');
    expect(rendered.indexOf('single')).toBeLessThan(3);
  });

  it('do not wait for one whose client has disconnected', async () => {
    const { run, pending } = createWorkload();
    const left = new AbortController();
    const loop = async (next: () => Promise<void>) => {
      for (;;) await next();
    };
    const first = run({ pictures: 2, signal: left.signal }, ({ next }) => loop(next));
    const second = run({ pictures: 2, signal: new AbortController().signal }, async ({ next }) => {
      await next();
      return 'rendered';
    });
    left.abort();
    await expect(first).rejects.toThrow('aborted');
    expect(await second).toBe('rendered');
    expect(pending()).toBe(0);
  });
});

describe('a request that the runtime has ended', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('keeps its place for a minute only', async () => {
    vi.useFakeTimers();
    const { run, pending } = createWorkload();
    const { signal } = new AbortController();
    const never = () => new Promise<never>(() => undefined);
    for (let i = 0; i < 4; i++) void run({ pictures: 64, signal }, never);
    const one = () => run({ pictures: 1, signal }, async () => 'rendered');
    await expect(one()).rejects.toMatchObject({ status: 503 });
    vi.advanceTimersByTime(61_000);
    expect(await one()).toBe('rendered');
    expect(pending()).toBe(0);
  });
});
