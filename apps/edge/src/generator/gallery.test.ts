import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { type Picture, readGeneratorManifest } from '@killme/model';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeGallery } from '../../scripts/prerender.ts';
import { createApp } from '../app.ts';
import { createClient } from '../client.ts';
import { resample } from '../images/resample.ts';
import { diskOptions, folderReader } from '../runtimes/disk.ts';
import { nameFolder } from '../runtimes/named-folder.ts';
import { randomGeneratorFiles } from '../testing/index.ts';
import { galleryManifest, openGallery } from './gallery.ts';

const { vectors } = z
  .object({
    vectors: z.array(z.object({ pictures: z.number(), seeds: z.record(z.string(), z.number()) })),
  })
  .parse(JSON.parse(readFileSync('../../test/reference/gallery.json', 'utf8')));

const PICTURES = 5;
let folder: string;
/** Of the generator. */
let hash: string;
let rendering: ReturnType<typeof createApp>;
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-gallery-`);
  for (const [name, bytes] of await randomGeneratorFiles()) {
    await writeFile(`${folder}/${name}`, bytes);
  }
  const target = `${folder}/gallery`;
  await writeGallery({ generator: folder, count: 9, target });
  await writeGallery({ generator: folder, count: PICTURES, target });
  ({ hash } = await readGeneratorManifest(folderReader(folder)));
  rendering = createApp(diskOptions([nameFolder(folder)]));
  const options = diskOptions([{ ...nameFolder(folder), gallery: target }]);
  const [source] = await options.listGenerators();
  const load = () => Promise.reject(new Error('nothing is rendered here'));
  app = createApp({ ...options, listGenerators: async () => [{ ...source!, load }] });
});

afterAll(() => rm(folder, { recursive: true }));

const bytesOf = async (answer: Response) => new Uint8Array(await answer.arrayBuffer());

function pixelsOf(png: Uint8Array): Picture {
  const { width, height, data } = decode(png);
  return { width, height, channels: 3, data: Uint8Array.from(data) };
}

describe('the gallery', () => {
  it('is a folder of the pictures of the first numbers, and replaces an older one', async () => {
    const names = Array.from({ length: PICTURES }, (_, i) => `${i}.png`);
    const pictures = `${folder}/gallery/g/${hash.slice(0, 16)}`;
    expect((await readdir(pictures)).sort()).toEqual(names);
    for (const [i, name] of names.entries()) {
      const rendered = await bytesOf(await rendering.request(`/img?seed=${i}`));
      expect(new Uint8Array(await readFile(`${pictures}/${name}`))).toEqual(rendered);
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('gallery'))).toEqual([
      'gallery',
    ]);
  });

  it.each(vectors)('gives seeds the pictures that Python says ($pictures)', async (vector) => {
    const generator = await readGeneratorManifest(folderReader(folder));
    const { seedOf } = await openGallery(
      async () => new TextEncoder().encode(galleryManifest(generator.hash, vector.pictures)),
      generator,
    );
    for (const [seed, picture] of Object.entries(vector.seeds)) {
      expect(seedOf(seed)).toBe(String(picture));
    }
  });

  it('of another generator is refused', async () => {
    const generator = await readGeneratorManifest(folderReader(folder));
    const of = (text: string) => openGallery(async () => new TextEncoder().encode(text), generator);
    await expect(of(galleryManifest('another', 1))).rejects.toThrow(/npm run prerender/);
    await expect(of('{"format": "killme-gallery"}')).rejects.toThrow(/^gallery.json is not/);
    await expect(of(galleryManifest(generator.hash, 2_000_000))).rejects.toThrow(/^gallery.json/);
  });
});

describe('a server with a gallery', () => {
  it('answers every seed with one of its pictures, and loads no generator', async () => {
    const rendered = await Promise.all(
      Array.from({ length: PICTURES }, async (_, i) =>
        bytesOf(await rendering.request(`/img?seed=${i}`)),
      ),
    );
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const answer = await app.request(`/img?seed=person-${i}`);
      expect(answer.headers.get('killme-source')).toBe('gallery');
      const bytes = await bytesOf(answer);
      seen.add(rendered.findIndex((png) => Buffer.from(png).equals(bytes)));
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('sends its pictures as they are to those who may have nothing rendered', async () => {
    const limited = createApp({
      ...diskOptions([{ ...nameFolder(folder), gallery: `${folder}/gallery` }]),
      withinQuota: async () => false,
    });
    expect((await limited.request('/img?seed=alice')).status).toBe(200);
    expect((await limited.request('/img?seed=alice&size=64')).status).toBe(429);
  });

  it('makes other sizes and formats of the same picture', async () => {
    const plain = pixelsOf(await bytesOf(await app.request('/img?seed=alice')));
    expect(plain.width).toBe(32);
    const large = pixelsOf(await bytesOf(await app.request('/img?seed=alice&size=64')));
    expect(large).toEqual(await resample(plain, { width: 64, height: 64 }));
    const webp = await app.request('/img?seed=alice&format=webp');
    expect(webp.headers.get('content-type')).toBe('image/webp');
    expect(webp.headers.get('killme-source')).toBe('gallery');
  });

  it('has its files at addresses that a pin and a seed give, for ever', async () => {
    const pin = `${hash.slice(0, 16)}-${PICTURES}`;
    const address = createClient('https://a.example', { pin }).img('alice');
    // As Python says, by test/reference/shake.py's rule.
    expect(address).toBe(`https://a.example/g/${hash.slice(0, 16)}/3.png`);
    const file = await app.request(address);
    const { headers } = await app.request('/img?seed=alice');
    expect(Object.fromEntries(file.headers)).toEqual({
      ...Object.fromEntries(headers),
      'cache-control': 'public, max-age=31536000, immutable',
      etag: file.headers.get('etag'),
    });
    expect(await bytesOf(file)).toEqual(await bytesOf(await app.request('/img?seed=alice')));
    const tag = file.headers.get('etag')!;
    const again = await app.request(address, { headers: { 'If-None-Match': tag } });
    expect(again.status).toBe(304);
  });

  it.each([
    ['5.png', 'The gallery has the files 0.png to 4.png, not 5.png.'],
    ['02.png', 'The gallery has the files 0.png to 4.png, not 02.png.'],
    ['%2e%2e%2fgallery.json', 'The gallery has the files 0.png to 4.png, not ../gallery.json.'],
  ])('has no other files there: %s', async (file, detail) => {
    const answer = await app.request(`/g/${hash.slice(0, 16)}/${file}`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toMatchObject({ detail });
    const elsewhere = await rendering.request(`/g/${hash.slice(0, 16)}/${file}`);
    expect(await elsewhere.json()).toMatchObject({
      detail: `This server has no gallery at /g/${hash.slice(0, 16)}.`,
    });
  });

  it('has other tags than one that renders, for what looks different', async () => {
    for (const path of ['/img?seed=alice', '/img?seed=3', '/morph?from=a&to=b', '/grid?seed=a']) {
      const [a, b] = await Promise.all(
        [app, rendering].map(async (server) =>
          (await server.request(path, { method: 'HEAD' })).headers.get('etag'),
        ),
      );
      expect(a).not.toBe(b);
    }
    const tag = (await app.request('/img?seed=alice')).headers.get('etag')!;
    const again = await app.request('/img?seed=alice', { headers: { 'If-None-Match': tag } });
    expect(again.status).toBe(304);
  });

  it('walks between the pictures that the seeds have', async () => {
    const walking = createApp(
      diskOptions([{ ...nameFolder(folder), gallery: `${folder}/gallery` }]),
    );
    const strip = pixelsOf(
      await bytesOf(await walking.request('/morph?from=alice&to=bob&steps=2')),
    );
    for (const [column, seed] of ['alice', 'bob'].entries()) {
      const { data } = pixelsOf(await bytesOf(await walking.request(`/img?seed=${seed}`)));
      const cut = data.map((_, i) => {
        const row = Math.floor(i / 96);
        return strip.data[(row * strip.width + column * 32) * 3 + (i % 96)]!;
      });
      expect(cut).toEqual(data);
    }
  });

  it('says so', async () => {
    expect(await (await app.request('/model')).json()).toMatchObject({
      gallery: { pictures: PICTURES },
    });
    expect(await (await rendering.request('/model')).json()).not.toHaveProperty('gallery');
  });
});
