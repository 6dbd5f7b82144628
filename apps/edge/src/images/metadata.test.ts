import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../app.ts';
import { pinOf } from '../generator/pin.ts';
import { compileWebpBinary } from '../runtimes/disk.ts';
import { openRandomGenerator } from '../testing/index.ts';

const CREDIT = 'Remix of “<A&B>” by Cæsar 日本';

let app: ReturnType<typeof createApp>;
/** Of the generator. */
let hash: string;
let pin: string;

beforeAll(async () => {
  app = await appOf({ licence: 'CC-BY-4.0', credit: CREDIT });
  ({ hash, pin } = (await (await app.request('/model')).json()) as { hash: string; pin: string });
});

async function appOf(rights: { licence?: string; credit?: string }) {
  const generator = await openRandomGenerator();
  const manifest = { ...generator.manifest, ...rights };
  return createApp({
    listGenerators: async () => [{ name: 'only', load: async () => ({ ...generator, manifest }) }],
    readPage: async () => new Uint8Array(),
    loadWebpBinary: compileWebpBinary,
  });
}

async function fileOf(path: string, from = app): Promise<Buffer> {
  const answer = await from.request(path);
  expect(answer.status, path).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

const pixelsOf = (file: Buffer) => sharp(file, { animated: true }).raw().toBuffer();

/** As libvips reads them. */
async function textsOf(file: Buffer): Promise<Record<string, string>> {
  const { comments = [] } = await sharp(file).metadata();
  return Object.fromEntries(
    comments.map(({ keyword, text }) => [keyword.replace(/^.*-/, ''), text]),
  );
}

describe('a PNG', () => {
  it('says its seed, address, generator, licence and credit', async () => {
    expect(await textsOf(await fileOf('/img?seed=alice'))).toEqual({
      Title: 'alice',
      Address: `/v/${pin}/img?seed=alice&format=png`,
      Source: `killme-generator sha256:${hash}`,
      Software: 'Killme',
      Copyright: 'CC-BY-4.0',
      Author: CREDIT,
    });
  });

  it.each([
    ['/morph?to=bob&from=a%2Cb&via=c%5C%2Cd&steps=2', 'a,b → c,d → bob'],
    ['/morph?from=a&to=b&steps=3&loop=1&size=64', 'a → b'],
    ['/morph?from=a&to=b&steps=3&space=pixel', 'a → b'],
    ['/mix?plus=a,b&minus=c&move=direction-1:1', 'a + b − c'],
    ['/grid?n=2&seed=a', 'a'],
    ['/og?seed=a', 'a'],
    ['/img?seed=a&download=1&size=100', 'a'],
    [`/img?z=${'A'.repeat(267)}`, undefined],
  ])('of %s has an address that gives the same bytes', async (path, title) => {
    const file = await fileOf(path);
    const texts = await textsOf(file);
    expect(texts.Title).toBe(title);
    expect(texts.Address).toMatch(new RegExp(`^/v/${pin}/[a-z]+\\?`));
    expect((await fileOf(texts.Address!)).equals(file)).toBe(true);
  });

  it('has the same bytes at every address of it', async () => {
    const file = await fileOf('/img?seed=alice');
    for (const path of [
      '/img/alice.png',
      `/v/${pin}/img?seed=alice`,
      '/img?format=png&seed=alice',
    ]) {
      const answer = await app.request(`https://another.example${path}`);
      expect(Buffer.from(await answer.arrayBuffer()).equals(file)).toBe(true);
    }
  });

  it('shows what no text can hold as U+FFFD; the address has it', async () => {
    const texts = await textsOf(await fileOf('/img?seed=a%00b%0Ac%EF%BF%BF'));
    expect(texts.Title).toBe('a\uFFFDb\uFFFDc\uFFFD');
    expect(texts.Address).toContain('seed=a%00b%0Ac%EF%BF%BF&');
  });
});

describe('a WebP', () => {
  it('says the same as XMP, which another reader finds', async () => {
    const { xmp, width, height } = await sharp(
      await fileOf('/img?seed=%3Calice%3E%00&size=65&format=webp'),
    ).metadata();
    expect([width, height]).toEqual([65, 65]);
    const text = `${xmp}`;
    expect(text).toContain(
      '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">&lt;alice&gt;\uFFFD</rdf:li>',
    );
    expect(text).toContain(
      ` dc:identifier="/v/${pin}/img?seed=%3Calice%3E%00&amp;format=webp&amp;size=65"`,
    );
    expect(text).toContain(` dc:source="killme-generator sha256:${hash}"`);
    expect(text).toContain('<rdf:li xml:lang="x-default">CC-BY-4.0</rdf:li>');
    expect(text).toContain('<rdf:li>Remix of “&lt;A&amp;B&gt;” by Cæsar 日本</rdf:li>');
  });

  it('has one header, whether it has alpha or not', async () => {
    const file = await fileOf('/img?seed=a&format=webp');
    expect(file.readUInt32LE(4)).toBe(file.length - 8);
    expect(file.toString('latin1', 8, 16)).toBe('WEBPVP8X');
    expect([...file.subarray(16, 30)]).toEqual([10, 0, 0, 0, 4, 0, 0, 0, 31, 0, 0, 31, 0, 0]);
  });
});

describe('a GIF', () => {
  it('says the same as a comment, of any length', async () => {
    const seed = 'キ'.repeat(256);
    const file = await fileOf(`/morph?from=${seed}&to=b&steps=2&format=gif`);
    const start = file.indexOf(Buffer.from([0x21, 0xfe]));
    const parts: Buffer[] = [];
    for (let at = start + 2; file[at]! > 0; at += 1 + file[at]!) {
      parts.push(file.subarray(at + 1, at + 1 + file[at]!));
    }
    const [title, address, ...rest] = Buffer.concat(parts).toString().split('\n');
    expect(title).toBe(`Title: ${seed} → b`);
    expect(address).toMatch(new RegExp(`^Address: /v/${pin}/morph\\?from=%E3%82%AD.*&format=gif`));
    expect(rest).toEqual([
      `Source: killme-generator sha256:${hash}`,
      'Software: Killme',
      'Copyright: CC-BY-4.0',
      `Author: ${CREDIT}`,
      '',
    ]);
    expect((await sharp(file, { animated: true }).metadata()).pages).toBe(2);
  });
});

describe('a walk as JSON', () => {
  it('says it once', async () => {
    const walk = JSON.parse(`${await fileOf('/morph?from=a&to=b&steps=2&format=json')}`);
    expect(walk.metadata).toMatchObject({ title: 'a → b', generator: hash, licence: 'CC-BY-4.0' });
  });
});

describe('metadata=none', () => {
  it.each([
    '/img?seed=a',
    '/img?seed=a&format=webp',
    '/morph?from=a&to=b&steps=2&format=gif',
    '/morph?from=a&to=b&steps=2&format=apng',
  ])('leaves out all of it, and no pixel changes: %s', async (path) => {
    const [full, bare] = [await fileOf(path), await fileOf(`${path}&metadata=none`)];
    expect(full.includes('sha256:')).toBe(true);
    expect(bare.includes('Killme')).toBe(false);
    expect(bare.length).toBeLessThan(full.length);
    expect((await pixelsOf(bare)).equals(await pixelsOf(full))).toBe(true);
    const tag = async (of: string) => (await app.request(of)).headers.get('etag');
    expect(await tag(`${path}&metadata=none`)).not.toBe(await tag(path));
  });
});

describe('an answer with a picture', () => {
  it.each([
    ['CC-BY-4.0', 'https://creativecommons.org/licenses/by/4.0/'],
    ['CC-BY-NC-SA-3.0', 'https://creativecommons.org/licenses/by-nc-sa/3.0/'],
    ['CC0-1.0', 'https://creativecommons.org/publicdomain/zero/1.0/'],
    ['https://a.example/"><b>', 'https://a.example/%22%3E%3Cb%3E'],
  ])('has a link to the licence %s', async (licence, url) => {
    const { headers } = await (await appOf({ licence })).request('/img?seed=a');
    expect(headers.get('link')).toBe(`<${url}>; rel="license"`);
  });

  it.each(['all rights reserved', 'javascript:alert(1)', '__proto__', undefined])(
    'has none for the licence %s',
    async (licence) => {
      const other = await appOf(licence === undefined ? {} : { licence });
      const { headers } = await other.request('/img?seed=a');
      expect(headers.get('link')).toBe(null);
    },
  );

  it('is not to be found by itself, but may be fetched', async () => {
    const { headers } = await app.request(`/v/${pinOf({ hash, gallery: undefined })}/img?seed=a`);
    expect(headers.get('x-robots-tag')).toBe('noindex');
    expect((await app.request('/')).headers.get('x-robots-tag')).toBe(null);
    expect(await (await app.request('/robots.txt')).text()).toContain('Disallow: /v/*/morph\n');
  });
});
