import { UserError } from '@killme/model';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createApp } from '../app.ts';
import type { Generator } from '../generator/generator.ts';
import { compileWebpBinary } from '../runtimes/disk.ts';
import { openRandomGenerator } from '../testing/index.ts';
import { createScheduler, MOST_PENDING_MS } from './scheduler.ts';
import type { Wanted } from './single-flight.ts';

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
    const slow = createApp({
      // By its own account it takes as long as the article's, so four walks fill eight seconds.
      listGenerators: async () => [
        { name: 'slow', load: async () => ({ ...generator, renderMs: 30 }) },
      ],
      readPage: async () => new Uint8Array(),
      loadWebpBinary: compileWebpBinary,
    });
    const walks = Array.from({ length: 6 }, (_, i) => `/morph?from=a&to=${i}&steps=64`);
    const answers = await Promise.all(walks.map((path) => slow.request(path)));
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
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
    expect(await (await slow.request('/healthz')).json()).toMatchObject({
      pictures: { pending: 0 },
    });
    expect((await slow.request(walks[5]!)).status).toBe(200);
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

/** Clients that all stay. */
const wanted: Wanted = { throwIfAborted: () => undefined, onAbort: () => undefined };

/** A client that can disconnect. */
function client(): Wanted & { disconnect: () => void } {
  const callbacks: (() => void)[] = [];
  let gone = false;
  return {
    throwIfAborted() {
      if (gone) throw new DOMException('gone', 'AbortError');
    },
    onAbort: (callback) => callbacks.push(callback),
    disconnect() {
      gone = true;
      for (const callback of callbacks) callback();
    },
  };
}

describe('tasks', () => {
  it('of several pictures run one after the other, and alternate with single pictures', async () => {
    const { run } = createScheduler();
    const turns: string[] = [];
    const task = (name: string, pictures: number) =>
      run({ pictures, costMs: 1, wanted }, async (pause) => {
        for (let i = 0; i < pictures; i++) {
          if (i > 0) await pause();
          turns.push(name);
        }
      });
    await Promise.all([task('a', 3), task('b', 2), task('s', 1), task('t', 1), task('u', 1)]);
    expect(turns.join(' ')).toBe('a s a t a u b b');
  });

  it('see what comes in before every turn, also where nothing else waits yet', async () => {
    const { run } = createScheduler();
    const seen: string[] = [];
    const poll = () => setImmediate(() => seen.push('input')); // runs in the phase that polls for input
    const one = (name: string) =>
      run({ pictures: 1, costMs: 1, wanted }, async () => {
        seen.push(name);
        poll();
      });
    poll();
    await Promise.all([one('a'), one('b'), one('c')]);
    poll();
    await one('alone');
    expect(seen.join(' ')).toBe('input a input b input c input input alone');
  });

  it('that nobody wants any more never begin, and make room at once', async () => {
    const { run, pending } = createScheduler();
    const began = vi.fn(async () => undefined);
    const first = Promise.withResolvers<void>();
    const full = run({ pictures: 1, costMs: 8000, wanted }, () => first.promise);
    await expect(run({ pictures: 1, costMs: 1, wanted }, began)).rejects.toMatchObject({
      status: 503,
    });
    const { run: other, pending: others } = createScheduler();
    const second = Promise.withResolvers<void>();
    const running = other({ pictures: 2, costMs: 1, wanted }, () => second.promise);
    const queued = client();
    const waiting = other({ pictures: 64, costMs: 1, wanted: queued }, began);
    expect(others()).toBe(66);
    queued.disconnect();
    await expect(waiting).rejects.toThrow(/disconnected/);
    expect(others()).toBe(2);
    first.resolve();
    second.resolve();
    await Promise.all([full, running]);
    expect([pending(), others(), began.mock.calls]).toEqual([0, 0, []]);
  });

  it('end at their next pause when nobody wants them any more', async () => {
    const { run, pending } = createScheduler();
    const leaving = client();
    let turns = 0;
    const endless = run({ pictures: 2, costMs: 1, wanted: leaving }, async (pause) => {
      for (;;) {
        if (++turns === 3) leaving.disconnect();
        await pause();
      }
    });
    const next = run({ pictures: 2, costMs: 1, wanted }, async () => 'rendered');
    await expect(endless).rejects.toThrow('gone');
    expect([turns, await next, pending()]).toEqual([3, 'rendered', 0]);
  });

  it('are accepted by what they cost, and one beyond the bound when nothing else is pending', async () => {
    const { run } = createScheduler();
    const task = (costMs: number) => run({ pictures: 1, costMs, wanted }, async () => 'done');
    const outcomes = await Promise.allSettled([task(MOST_PENDING_MS), task(1)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await task(10 * MOST_PENDING_MS)).toBe('done');
  });
});

describe('a task that the runtime has stopped', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('keeps its turn for a minute only', async () => {
    vi.useFakeTimers();
    const { run, pending } = createScheduler();
    void run({ pictures: 2, costMs: 1, wanted }, () => new Promise<never>(() => undefined));
    const next = run({ pictures: 2, costMs: 1, wanted }, async () => 'rendered');
    expect(pending()).toBe(4);
    await vi.advanceTimersByTimeAsync(62_000);
    expect(await next).toBe('rendered');
    expect(pending()).toBe(0);
  });
});
