import { UserError } from '@killme/model';
import { decode } from 'fast-png';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createApp } from './app.ts';
import type { Generator } from './generator/generator.ts';
import { compileWebpBinary } from './runtimes/disk.ts';
import { openRandomGenerator } from './testing/index.ts';

const readPage = async (name: string) => new TextEncoder().encode(`the file ${name}`);
const render = vi.fn<Generator['render']>();
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  const generator = await openRandomGenerator();
  render.mockImplementation(generator.render);
  app = createApp({
    listGenerators: async () => [{ name: 'random', load: async () => ({ ...generator, render }) }],
    readPage,
    loadWebpBinary: compileWebpBinary,
  });
});

/** What a bad request is answered with; every such answer must be a problem that nobody caches. */
async function problemOf(path: string, init?: RequestInit) {
  const response = await app.request(path, init);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const problem = (await response.json()) as {
    status: number;
    detail: string;
    errors?: { parameter: string; allowed: string; received?: string }[];
  };
  expect(problem.status).toBe(response.status);
  return problem;
}

describe('/img', () => {
  it('answers with a PNG of the size that the generator makes', async () => {
    const response = await app.request('/img?seed=alice');
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'ETag, Killme-Source, Link',
      'cache-control': 'public, max-age=600, stale-while-revalidate=3000',
      'content-type': 'image/png',
      'cross-origin-resource-policy': 'cross-origin',
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      'killme-source': 'rendered',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex',
    });
    const png = decode(await response.arrayBuffer());
    expect([png.width, png.height, png.channels, png.depth]).toEqual([32, 32, 3, 8]);
    expect(new Set(png.data).size).toBeGreaterThan(50);
  });

  it('renders the same bytes for the same seed, others for another', async () => {
    const bytes = async (seed: string) =>
      new Uint8Array(await (await app.request(`/img?seed=${seed}`)).arrayBuffer());
    expect(await bytes('alice')).toEqual(await bytes('alice'));
    expect(await bytes('alice')).not.toEqual(await bytes('Alice'));
    expect(await bytes('a+b')).toEqual(await bytes('a%20b'));
  });

  it.each(['%F0%9F%91%B6'.repeat(256), '%00', '__proto__', '%3Cscript%3E', '日本'])(
    'takes the seed %s',
    async (seed) => {
      expect((await app.request(`/img?seed=${seed}`)).status).toBe(200);
    },
  );

  it('without a seed redirects to a random one, which nobody caches', async () => {
    const response = await app.request('/img?format=png');
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toMatch(/^\?seed=[2-9a-hjkmnp-z0]{10}&format=png$/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const again = await app.request('/img?format=png');
    expect(again.headers.get('location')).not.toBe(response.headers.get('location'));
  });
});

describe('/morph', () => {
  const strip = async (query: string) =>
    decode(await (await app.request(`/morph?from=alice&to=bob${query}`)).arrayBuffer());
  const picture = async (seed: string) =>
    decode(await (await app.request(`/img?seed=${seed}`)).arrayBuffer()).data;
  /** The picture at `index` of a strip of 32×32 pictures. */
  const cut = ({ data, width }: Awaited<ReturnType<typeof strip>>, index: number) =>
    Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => {
      const row = Math.floor(i / 96);
      return data[(row * width + index * 32) * 3 + (i % 96)]!;
    });

  it('is a strip of ten, the first and the last being the two seeds', async () => {
    const png = await strip('');
    expect([png.width, png.height]).toEqual([320, 32]);
    expect(cut(png, 0)).toEqual(await picture('alice'));
    expect(cut(png, 9)).toEqual(await picture('bob'));
  });

  it.each(['', '&space=pixel', '&path=slerp'])('differs between the ends (%s)', async (query) => {
    const png = await strip(`&steps=3${query}`);
    expect(cut(png, 0)).toEqual(await picture('alice'));
    expect(cut(png, 1)).not.toEqual(cut(png, 0));
    expect(cut(png, 2)).toEqual(await picture('bob'));
  });

  it('fades pixels where the pixels are asked for', async () => {
    const png = await strip('&steps=3&space=pixel');
    const [a, b] = [cut(png, 0), cut(png, 2)];
    expect(cut(png, 1)).toEqual(a.map((level, i) => Math.round((level + b[i]!) / 2)));
  });

  it('renders as many as it is asked for', async () => {
    expect((await strip('&steps=2')).width).toBe(64);
    expect((await strip('&steps=64')).width).toBe(2048);
  });
});

describe('caching', () => {
  it('gives one tag to one picture, however its query is written', async () => {
    const tag = async (path: string) => (await app.request(path)).headers.get('etag');
    const plain = await tag('/morph?from=a&to=b%20c');
    expect(await tag('/morph?to=b+c&from=a&&steps=10&path=linear')).toBe(plain);
    expect(await tag('/morph?from=a&to=b+c&steps=9')).not.toBe(plain);
    expect(await tag('/morph?from=b+c&to=a')).not.toBe(plain);
    const fade = '/morph?from=a&to=b&space=pixel';
    expect(await tag(`${fade}&path=slerp`)).toBe(await tag(fade)); // it has no path
    expect(await tag('/img?seed=a%26format%3Dpng')).not.toBe(await tag('/img?seed=a'));
  });

  it('answers 304 without rendering when the client has the picture', async () => {
    const path = '/img?seed=carol';
    const tag = (await app.request(path)).headers.get('etag')!;
    render.mockClear();
    for (const header of [tag, `W/${tag}`, `"x,y", ${tag}`, '*']) {
      const response = await app.request(path, { headers: { 'If-None-Match': header } });
      expect(response.status).toBe(304);
      expect(await response.text()).toBe('');
      expect(response.headers.get('etag')).toBe(tag);
      expect(response.headers.get('cache-control')).toBe(
        'public, max-age=600, stale-while-revalidate=3000',
      );
    }
    expect(render).not.toHaveBeenCalled();
    const other = await app.request(path, { headers: { 'If-None-Match': '"x", W/"y"' } });
    expect(other.status).toBe(200);
  });

  it('answers HEAD like GET, without rendering and without a body', async () => {
    const get = await app.request('/img?seed=dave');
    render.mockClear();
    const head = await app.request('/img?seed=dave', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    expect([...head.headers]).toEqual([...get.headers]);
    expect(render).not.toHaveBeenCalled();
  });
});

describe('bad input', () => {
  it.each([
    ['/img?seed=', 'seed', 'any text of 1 to 256 characters', ''],
    [
      `/img?seed=${'a'.repeat(257)}`,
      'seed',
      'any text of 1 to 256 characters',
      `${'a'.repeat(80)}…`,
    ],
    ['/img?seed', 'seed', 'any text of 1 to 256 characters', ''],
    ['/img?seed=a&seed=b', 'seed', 'given once', 'a, then b'],
    ['/img?seed=%FF', 'seed', 'UTF-8, percent-encoded', '%FF'],
    ['/img?seed=%', 'seed', 'UTF-8, percent-encoded', '%'],
    ['/img?seed=%ED%A0%80', 'seed', 'UTF-8, percent-encoded', '%ED%A0%80'],
    [
      '/img?seed=a&sed=b',
      'sed',
      'only seed, z, move, class, format, metadata, model, size, download',
      'b',
    ],
    [
      '/img?seed=a&__proto__=b',
      '__proto__',
      'only seed, z, move, class, format, metadata, model, size, download',
      'b',
    ],
    [
      '/img?seed=a&constructor=b',
      'constructor',
      'only seed, z, move, class, format, metadata, model, size, download',
      'b',
    ],
    ['/img?seed=a&format=gif', 'format', 'png or webp', 'gif'],
    ['/img?format=gif', 'format', 'png or webp', 'gif'],
    ['/morph?from=a', 'to', 'given, or zto instead', undefined],
    ['/morph?to=a', 'from', 'given, or zfrom instead', undefined],
    ['/img?seed=a&z=AAAA', 'z', 'omitted where seed is given', 'AAAA'],
    ['/morph?from=a&to=b&zto=AAAA', 'zto', 'omitted where to is given', 'AAAA'],
    ['/morph?from=a&to=b&space=time', 'space', 'latent or pixel', 'time'],
    ['/morph?from=a&to=b&path=', 'path', 'linear or slerp', ''],
    ['/healthz?a=b', 'a', 'no parameters', 'b'],
  ])('%s is refused, naming what %s may be', async (path, parameter, allowed, received) => {
    const { status, errors } = await problemOf(path);
    expect(status).toBe(400);
    const fault =
      received === undefined ? { parameter, allowed } : { parameter, allowed, received };
    expect(errors).toEqual([fault]);
  });

  it.each(['0', '1', '65', '1e9', '1000000000000', '3.5', 'abc', '-2', '', ' 5', '0x10', 'NaN'])(
    'steps=%s',
    async (steps) => {
      const { detail } = await problemOf(`/morph?from=a&to=b&steps=${encodeURIComponent(steps)}`);
      expect(detail).toBe(`Parameter "steps" must be a whole number from 2 to 64; got "${steps}".`);
    },
  );

  it('names every fault, but not without end', async () => {
    const { errors } = await problemOf('/morph?from=&steps=1&x=1');
    expect(errors?.map((fault) => fault.parameter).sort()).toEqual(['from', 'steps', 'to', 'x']);
    const many = Array.from({ length: 500 }, (_, i) => `x${i}=1`).join('&');
    expect((await problemOf(`/img?${many}`)).errors).toHaveLength(8);
  });

  it('refuses a seed of ten megabytes at once', async () => {
    const { status, detail } = await problemOf(`/img?seed=${'a'.repeat(10_000_000)}`);
    expect(status).toBe(414);
    expect(detail).toContain('at most 256');
  });

  it('says 404 and 405', async () => {
    expect((await problemOf('/nothing')).status).toBe(404);
    expect((await problemOf('/img/')).status).toBe(404);
    expect((await problemOf('/generator/weights-0.bin')).status).toBe(404);
    expect((await problemOf('/img?seed=a', { method: 'POST' })).status).toBe(405);
    const response = await app.request('/morph', { method: 'DELETE' });
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('answers a preflight', async () => {
    const response = await app.request('/img', { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe('If-None-Match');
  });
});

describe('a generator that cannot be loaded', () => {
  it('is 503 in one line for a damaged file, and tried again at the next request', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const loadGenerator = vi
      .fn<() => Promise<Generator>>()
      .mockRejectedValueOnce(
        new UserError('/srv/secret/weights-0.bin is damaged', 'weights-0.bin is damaged'),
      )
      .mockRejectedValueOnce(new Error('a secret'));
    const broken = createApp({
      listGenerators: async () => [{ name: 'broken', load: loadGenerator }],
      readPage,
      loadWebpBinary: compileWebpBinary,
    });
    const damaged = await broken.request('/img?seed=a');
    expect(damaged.status).toBe(503);
    expect(await damaged.json()).toMatchObject({
      detail: 'A file of the server is missing or damaged: weights-0.bin is damaged.',
    });
    const failed = await broken.request('/img?seed=a');
    expect(failed.status).toBe(500);
    expect(failed.headers.get('cache-control')).toBe('no-store');
    expect(await failed.text()).not.toContain('secret');
    expect(loadGenerator).toHaveBeenCalledTimes(2);
  });

  it('loads once for all who ask at the same time', async () => {
    const loadGenerator = vi.fn<() => Promise<Generator>>().mockRejectedValue(new UserError('no'));
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const broken = createApp({
      listGenerators: async () => [{ name: 'broken', load: loadGenerator }],
      readPage,
      loadWebpBinary: compileWebpBinary,
    });
    await Promise.all(['a', 'b', 'c'].map((seed) => broken.request(`/img?seed=${seed}`)));
    expect(loadGenerator).toHaveBeenCalledTimes(1);
  });
});

describe('the rest', () => {
  it('serves the page with a policy that allows no inline script', async () => {
    const response = await app.request('/');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(await response.text()).toBe('the file index.html');
    expect(await (await app.request('/page.js')).text()).toBe('the file page.js');
  });

  it('opens the page at links that others have lengthened', async () => {
    for (const path of ['/?fbclid=x', '/?utm_source=x&utm_source=y', '/docs?ref=%FF']) {
      expect((await app.request(path)).status).toBe(200);
    }
    expect((await app.request('/img?seed=a&fbclid=x')).status).toBe(400);
  });

  it('writes the address of its card as clients know it, behind a proxy too', async () => {
    const served = createApp({
      listGenerators: async () => [{ name: 'random', load: openRandomGenerator }],
      readPage: async () =>
        new TextEncoder().encode('<meta property="og:image" content="og?seed=you">'),
      loadWebpBinary: compileWebpBinary,
    });
    const card = async (headers: Record<string, string>) => {
      const page = await (await served.request('http://a.example/?x=1', { headers })).text();
      return /content="([^"]*)"/.exec(page)![1];
    };
    const { pin } = (await (await served.request('/model')).json()) as { pin: string };
    const path = `a.example/v/${pin}/og?seed=you`;
    expect(await card({})).toBe(`http://${path}`);
    expect(await card({ 'X-Forwarded-Proto': 'https, http' })).toBe(`https://${path}`);
    expect(await card({ 'X-Forwarded-Proto': 'javascript' })).toBe(`http://${path}`);
  });

  it('gives files of the page other tags when a byte changes, whatever it is', async () => {
    const files = [0x90, 0xa0].map((byte) => Uint8Array.of(0, 0x61, 0x73, 0x6d, byte)); // no UTF-8
    const tags = files.map(async (file) => {
      const served = createApp({
        listGenerators: async () => [],
        readPage: async () => file,
        loadWebpBinary: compileWebpBinary,
      });
      return (await served.request('/engine.wasm')).headers.get('etag');
    });
    expect(new Set(await Promise.all(tags)).size).toBe(2);
  });

  it('renders nothing for a client that has disconnected before it was its turn', async () => {
    render.mockClear();
    const leaving = new AbortController();
    const answer = app.request('/morph?from=leaving&to=soon&steps=9', { signal: leaving.signal });
    leaving.abort(); // while the query is read
    expect((await answer).status).toBe(499);
    expect(render).not.toHaveBeenCalled();
  });

  it('tells the facts of the generator', async () => {
    expect(await (await app.request('/model')).json()).toMatchObject({
      preset: 'article',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      image: { width: 32, height: 32, channels: 3 },
      training: { iterations: 0 },
    });
  });

  it('is alive, and says what it has rendered', async () => {
    const health = async () => (await app.request('/healthz')).json();
    const { pictures } = (await health()) as { pictures: { rendered: number } };
    await app.request('/morph?from=healthy&to=alive&steps=3');
    expect(await health()).toEqual({
      status: 'ok',
      pictures: { rendered: pictures.rendered + 3, pending: 0 },
    });
  });
});
