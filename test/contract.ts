/**
 * What a person may rely on in every runtime: the cases that workerd, Deno and Node share.
 *
 * @module
 */
import { createApp, diskOptions, type NamedFolder } from '@killme/edge';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../packages/client/src/index.ts';
import { writeGallery, writeRandomGenerator } from './servers.ts';

/** A running app. */
export interface Runtime {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<unknown>;
}

/** What an app is started on: generators, and the folder of a gallery of the first or none. */
export interface Served {
  generators: readonly NamedFolder[];
  gallery?: string;
}

/** The same as what starts a server: generators, any port, and options. */
export const optionsOf = ({ generators, gallery }: Served): [string[], undefined, string[]] => [
  generators.map(({ name, folder }) => `${name}=${folder}`),
  undefined,
  gallery === undefined ? [] : ['--gallery', gallery],
];

/** A latent of zeros, but for a last number of 1. */
const LATENT = `${'A'.repeat(265)}Dw`;

/** What the generators are called; the second makes smaller pictures and is not class-conditional. */
const MODELS = ['first', 'second.1'];

/** Classes of the first generator, and training images of each. */
const CLASSES = { raven: 3, キル: 1 };

/** Bytes that must be the same in every runtime; Node, in this process, says what they are. */
const SEEDS = [
  'alice',
  'bob',
  '0',
  'x'.repeat(256),
  '👶🏽',
  'キルミーベイベー',
  '%',
  '+ &=#?/\\"<',
];
const PICTURES = [
  ...SEEDS.map((seed) => `/img?${new URLSearchParams({ seed })}`),
  '/morph?from=alice&to=bob',
  '/morph?from=alice&to=bob&steps=2&path=slerp',
  '/morph?from=alice&to=alice&steps=3&path=slerp',
  '/morph?from=alice&to=bob&steps=5&space=pixel',
  '/morph?from=alice&via=carol,dave&to=bob&steps=7&path=slerp',
  '/morph?from=alice&to=bob&steps=4&loop=1&size=200',
  ...['apng', 'gif', 'json'].map((format) => `/morph?from=alice&to=bob&steps=3&format=${format}`),
  '/morph?from=alice&to=bob&steps=4&loop=1&size=64&format=apng',
  '/morph?from=alice&to=bob&steps=4&loop=1&size=64&format=gif',
  '/img?seed=alice&size=64',
  '/img?seed=alice&size=300',
  '/img?seed=alice&size=512&download=1',
  '/grid?seed=alice&n=2',
  '/grid?seed=alice&n=3&size=96',
  '/mix?plus=alice,bob&minus=carol',
  '/mix?plus=a%5C,b,%F0%9F%91%B6&size=256',
  '/og?seed=alice',
  `/img?z=${LATENT}`,
  `/img?z=${LATENT}&move=direction-1:-1.5&size=64`,
  '/img?seed=alice&move=direction-1:2',
  '/mix?plus=alice,bob&move=direction-1:0.5',
  `/morph?zfrom=${LATENT}&to=alice&steps=3`,
  ...['raven', 'キル'].map((name) => `/img?${new URLSearchParams({ seed: 'alice', class: name })}`),
  '/morph?from=alice&to=bob&steps=3&class=raven',
  '/mix?plus=alice&minus=bob&class=raven&move=direction-1:1',
  '/grid?seed=alice&n=2&class=raven',
  '/og?seed=alice&class=raven',
  ...['/img?seed=alice', '/img?seed=bob&size=64', '/mix?plus=a,b&size=300', '/og?seed=alice'].map(
    (path) => `${path}&format=webp`,
  ),
  '/img?seed=alice&model=first',
  '/img?seed=alice&model=second.1',
  '/img?seed=alice&model=second.1&move=direction-1:2&format=webp',
  '/morph?from=alice&to=bob&steps=3&model=second.1&download=1',
  '/grid?seed=alice&n=2&model=second.1',
  '/mix?plus=a,b&minus=c&model=second.1',
  '/og?seed=alice&model=second.1',
  '/model?model=second.1',
  '/generator/generator.json?model=second.1',
  '/openapi.json',
  '/docs',
  '/docs.css',
  '/robots.txt',
  '/img?seed=%00%EF%BF%BF%3C&format=webp',
  ...['/img?seed=alice', '/morph?from=alice&to=bob&steps=3&format=gif'].map(
    (path) => `${path}&metadata=none`,
  ),
  '/img/alice.png',
  '/img/64/キルミー.webp',
  '/img/%E3%82%AD%2F%252F+.png?class=raven',
  '/morph/alice/bob.gif?steps=3',
  '/v/PIN/img?seed=alice',
  '/v/PIN/img/200/alice.webp',
  '/v/PIN/morph/alice/bob.apng?steps=3',
  '/v/PIN/grid?seed=alice&n=2',
  '/v/PIN/mix?plus=a,b&minus=c',
  '/v/PIN/og?seed=alice',
  '/v/PIN/model',
  '/v/PIN/generator/generator.json',
];

const COMPARED_HEADERS = [
  'etag',
  'content-type',
  'content-disposition',
  'cache-control',
  'link',
  'x-robots-tag',
];

export function describeContract({
  name,
  start,
}: {
  name: string;
  start: (served: Served) => Promise<Runtime>;
}): void {
  describe(`the app in ${name}`, () => {
    let written: Awaited<ReturnType<typeof writeRandomGenerator>>[];
    let runtime: Runtime;
    let node: ReturnType<typeof createApp>;
    /** Of the second generator, `/v/<pin>/`. */
    let pin: string;

    beforeAll(async () => {
      written = [
        await writeRandomGenerator({ classes: CLASSES }),
        await writeRandomGenerator({ imageSize: 64 }),
      ];
      const generators = written.map(({ folder }, i) => ({ name: MODELS[i]!, folder }));
      node = createApp(diskOptions(generators));
      const facts = await (await node.request('/model?model=second.1')).json();
      pin = (facts as { pin: string }).pin;
      runtime = await start({ generators });
    }, 120_000);

    afterAll(async () => {
      await runtime?.stop();
      for (const { remove } of written) await remove();
    }, 30_000);

    it('goes on loading when the first client goes away', async () => {
      const first = new AbortController();
      const left = runtime.fetch('/img?seed=first', first).catch(() => undefined);
      setTimeout(() => first.abort(), 30);
      await left;
      expect((await runtime.fetch('/img?seed=second')).status).toBe(200);
    }, 30_000);

    it('shares one load between the first requests', async () => {
      const seeds = Array.from({ length: 12 }, (_, i) => `/img?seed=first-${i}`);
      const answers = await Promise.all(seeds.map((path) => runtime.fetch(path)));
      expect(answers.map(({ status }) => status)).toEqual(seeds.map(() => 200));
      for (const [i, answer] of answers.entries()) {
        const serial = await (await node.request(seeds[i]!)).arrayBuffer();
        expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(serial))).toBe(true);
      }
    }, 60_000);

    it.each(PICTURES)(
      'renders the bytes that Node renders: %s',
      async (written) => {
        const path = written.replace('PIN', pin);
        const answer = await runtime.fetch(path);
        expect(answer.status).toBe(200);
        const bytes = Buffer.from(await answer.arrayBuffer());
        const expected = await node.request(path);
        expect(bytes.equals(Buffer.from(await expected.arrayBuffer()))).toBe(true);
        for (const name of COMPARED_HEADERS) {
          expect(answer.headers.get(name)).toBe(expected.headers.get(name));
        }
      },
      60_000,
    );

    it('says where a picture comes from, to pages of other origins too', async () => {
      const answer = await runtime.fetch('/img?seed=from-where');
      expect(answer.headers.get('killme-source')).toBe('rendered');
      expect(answer.headers.get('access-control-expose-headers')).toContain('Killme-Source');
      await answer.arrayBuffer();
    });

    it('sends PNGs that another decoder reads', async () => {
      const image = await decode(await runtime.fetch('/img?seed=alice'));
      expect(image).toMatchObject({ format: 'png', width: 128, height: 128, channels: 3 });
      const strip = await decode(await runtime.fetch('/morph?from=alice&to=bob&steps=10'));
      expect(strip).toMatchObject({ format: 'png', width: 1280, height: 128, channels: 3 });
      const first = await sharp(strip.bytes)
        .extract({ left: 0, top: 0, width: 128, height: 128 })
        .raw()
        .toBuffer();
      expect(first.equals(await sharp(image.bytes).raw().toBuffer())).toBe(true);
    });

    it('sends WebPs and GIFs that another decoder reads', async () => {
      const webp = await decode(await runtime.fetch('/img?seed=alice&format=webp'));
      expect(webp).toMatchObject({ format: 'webp', width: 128, height: 128, channels: 3 });
      const png = await (await runtime.fetch('/img?seed=alice')).arrayBuffer();
      const [exact, close] = await Promise.all(
        [Buffer.from(png), webp.bytes].map((bytes) => sharp(bytes).raw().toBuffer()),
      );
      const off = exact!.reduce((sum, level, i) => sum + Math.abs(level - close![i]!), 0);
      expect(off / exact!.length).toBeLessThan(16);
      const path = '/morph?from=alice&to=bob&steps=4&loop=1&format=gif';
      const gif = sharp(Buffer.from(await (await runtime.fetch(path)).arrayBuffer()));
      const expected = {
        format: 'gif',
        width: 128,
        pages: 4,
        loop: 0,
        delay: [100, 100, 100, 100],
      };
      expect(await gif.metadata()).toMatchObject(expected);
    });

    it('lets caches keep a picture and not render it again', async () => {
      const path = `/v/${pin}/img?seed=alice`;
      const answer = await runtime.fetch(path);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      const unpinned = await runtime.fetch('/img?seed=alice', { method: 'HEAD' });
      expect(unpinned.headers.get('cache-control')).toBe(
        'public, max-age=600, stale-while-revalidate=3000',
      );
      expect(answer.headers.get('content-type')).toBe('image/png');
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      const tag = answer.headers.get('etag')!;
      await answer.arrayBuffer();
      const again = await runtime.fetch(path, { headers: { 'If-None-Match': `W/${tag}` } });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag]);
      const head = await runtime.fetch(path, { method: 'HEAD' });
      expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', tag]);
    });

    it('redirects to a random seed beside itself', async () => {
      const answer = await runtime.fetch('/img', { redirect: 'manual' });
      expect(answer.status).toBe(302);
      expect(answer.headers.get('location')).toMatch(/^\?seed=[0-9a-z]{10}$/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    it.each([
      ['/img?seed=', 400, 'seed'],
      ['/img?seed=%FF', 400, 'seed'],
      ['/img?seed=a&seed=b', 400, 'seed'],
      ['/img?seed=a&colour=red', 400, 'colour'],
      ['/img?z=AAAA', 400, 'z'],
      ['/img?seed=a&class=Raven', 400, 'class'],
      ['/img?seed=a&class=raven&model=second.1', 400, 'class'],
      ['/img?seed=a&model=third', 400, 'model'],
      ['/model?model=', 400, 'model'],
      ['/?model=..', 400, 'model'],
      [`/img?z=${'_'.repeat(266)}8`, 400, 'z'],
      [`/img?seed=a&z=${LATENT}`, 400, 'z'],
      ['/img?seed=a&move=smile:1', 400, 'move'],
      ['/img?seed=a&move=direction-1:5', 400, 'move'],
      ['/morph?from=a', 400, 'to'],
      ['/morph?from=a&to=b&steps=0', 400, 'steps'],
      ['/morph?from=a&to=b&steps=1e9', 400, 'steps'],
      ['/morph?from=a&to=b&steps=64&size=512', 400, 'size'],
      ['/grid?seed=a&n=9', 400, 'n'],
      ['/mix?minus=a', 400, 'plus'],
      ['/og?seed=a&size=100', 400, 'size'],
      [`/img?seed=${'a'.repeat(20_000)}`, 414, undefined],
      ['/nothing', 404, undefined],
      ['/img/a/b.png', 404, undefined],
      ['/img/%FF.png', 400, 'seed'],
      ['/img/alice.jpg', 400, 'format'],
      ['/v/00000000/img?seed=a', 404, 'pin'],
      ['/v/%2e%2e%2fx/img?seed=a', 400, 'pin'],
    ])('tells what is wrong: %s', async (path, status, parameter) => {
      const answer = await runtime.fetch(path);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const problem = (await answer.json()) as { errors?: { parameter: string }[] };
      expect(problem.errors?.[0]?.parameter).toBe(parameter);
    });

    it('refuses other methods', async () => {
      const answer = await runtime.fetch('/img?seed=a', { method: 'POST' });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
      await answer.arrayBuffer();
    });

    it('serves the page and the facts of the generator', async () => {
      const page = await runtime.fetch('/');
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(await page.text()).toContain('<script type="module" src="page.js"></script>');
      expect((await runtime.fetch('/page.js')).headers.get('content-type')).toMatch(/javascript/);
      expect(await (await runtime.fetch('/model')).json()).toEqual(
        await (await node.request('/model')).json(),
      );
    });
  });

  describe(`the app with a gallery in ${name}`, () => {
    let generator: Awaited<ReturnType<typeof writeRandomGenerator>>;
    let runtime: Runtime;
    let node: ReturnType<typeof createApp>;

    beforeAll(async () => {
      generator = await writeRandomGenerator();
      const gallery = await writeGallery(generator.folder, 7);
      const generators = [{ name: 'only', folder: generator.folder }];
      node = createApp(diskOptions(generators));
      runtime = await start({ generators, gallery });
    }, 120_000);

    afterAll(async () => {
      await runtime?.stop();
      await generator?.remove();
    }, 30_000);

    it('answers seeds with its pictures, the same for a seed everywhere', async () => {
      // test/reference/gallery.json
      for (const [seed, picture] of [
        ['alice', 2],
        ['bob', 3],
        ['キルミーベイベー', 6],
      ]) {
        const answer = await runtime.fetch(`/img?${new URLSearchParams({ seed: `${seed}` })}`);
        expect(answer.headers.get('killme-source')).toBe('gallery');
        const rendered = await node.request(`/img?seed=${picture}`);
        expect((await bytesOf(answer)).equals(await bytesOf(rendered))).toBe(true);
        expect(answer.headers.get('etag')).not.toBe(rendered.headers.get('etag'));
      }
      const webp = await decode(await runtime.fetch('/img?seed=alice&size=200&format=webp'));
      expect(webp).toMatchObject({ format: 'webp', width: 200, height: 200 });
      const health = (await (await runtime.fetch('/healthz')).json()) as {
        pictures: { rendered: number };
      };
      expect(health.pictures.rendered).toBe(0);
    });

    it('has its files at addresses that a pin and a seed give; on Cloudflare no Worker runs', async () => {
      const { pin } = (await (await runtime.fetch('/model')).json()) as { pin: string };
      const { pathname } = new URL(createClient('http://a.example', { pin }).img('alice'));
      expect(pathname).toBe(`/g/${pin.replace('-7', '')}/2.png`);
      const file = await runtime.fetch(pathname);
      const answer = await runtime.fetch('/img?seed=alice');
      for (const header of [
        'content-type',
        'x-robots-tag',
        'access-control-allow-origin',
        'access-control-expose-headers',
        'cross-origin-resource-policy',
        'x-content-type-options',
        'killme-source',
      ]) {
        expect([header, file.headers.get(header)]).toEqual([header, answer.headers.get(header)]);
      }
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      const tag = file.headers.get('etag')!;
      expect(await bytesOf(file)).toEqual(await bytesOf(answer));
      const again = await runtime.fetch(pathname, { headers: { 'If-None-Match': tag } });
      expect(again.status).toBe(304);
      const missing = await runtime.fetch('/g/0123456789abcdef/2.png');
      expect(missing.status).toBe(404);
      expect(missing.headers.get('cache-control') ?? '').not.toContain('immutable');
      // The app would have answered with a problem.
      const type = missing.headers.get('content-type');
      expect(type).toBe(name === 'workerd' ? null : 'application/problem+json');
    });

    it('shows its files on the page', async () => {
      const { pin } = (await (await runtime.fetch('/model')).json()) as { pin: string };
      const page = await (await runtime.fetch('/')).text();
      expect(page).toContain(`<img src="g/${pin.replace('-7', '')}/2.png" alt=""`);
      expect(page).not.toMatch(/ src="[^"]*img\?seed=\w+"/);
    });

    it('renders what is no single seed', async () => {
      const bare = 'steps=2&metadata=none'; // its own address differs
      const strip = await runtime.fetch(`/morph?from=alice&to=bob&${bare}`);
      expect(strip.headers.get('killme-source')).toBe('rendered');
      const rendered = await node.request(`/morph?from=2&to=3&${bare}`);
      expect((await bytesOf(strip)).equals(await bytesOf(rendered))).toBe(true);
    });
  });
}

const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

async function decode(answer: Response) {
  const bytes = await bytesOf(answer);
  const { format, width, height, channels } = await sharp(bytes).metadata();
  return { bytes, format, width, height, channels };
}
