import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { encodeLatent, seedToLatent } from '@killme/model';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGallery } from '../scripts/prerender.ts';
import { createApp } from './app.ts';
import { createClient, type ModelFacts } from './client.ts';
import type { Generator } from './generator/generator.ts';
import { diskOptions } from './runtimes/disk.ts';
import { nameFolder } from './runtimes/named-folder.ts';
import { randomGeneratorFiles } from './testing/index.ts';

/** Names as folders may have them, and training images of each. */
const CLASSES = { 'hair, long': 3, ギル: 2, none: 1 };
const NAMES = Object.keys(CLASSES);

let folder: string;
let generator: Generator;
let app: ReturnType<typeof createApp>;

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-classes-`);
  for (const [name, bytes] of await randomGeneratorFiles({ classes: CLASSES })) {
    await writeFile(`${folder}/${name}`, bytes);
  }
  const options = diskOptions([nameFolder(folder)]);
  const [source] = await options.listGenerators();
  generator = (await source!.load()) as Generator;
  app = createApp({
    ...options,
    listGenerators: async () => [{ ...source!, load: async () => generator }],
  });
});

afterAll(() => rm(folder, { recursive: true }));

const address = (route: string, query: Record<string, string>) =>
  `/${route}?${new URLSearchParams(query)}`;

/** Of the picture alone: files say which class was asked for. */
async function bytesOf(route: string, query: Record<string, string>) {
  const response = await app.request(address(route, { ...query, metadata: 'none' }));
  expect(response.status, await response.clone().text()).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

const pixelsOf = async (route: string, query: Record<string, string>) =>
  Uint8Array.from(decode(await bytesOf(route, query)).data);

/** The latent of a seed with these last components. */
const withEnd = (seed: string, ...end: number[]) => {
  const latent = seedToLatent(seed, generator.latentSpace);
  latent.set(end, 100 - end.length);
  return latent;
};

async function faultOf(asked: typeof app, path: string) {
  const response = await asked.request(path);
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { errors, detail } = (await response.json()) as { errors: unknown[]; detail: string };
  expect(errors).toHaveLength(1);
  return { ...(errors[0] as object), detail };
}

describe('a class', () => {
  it.each(NAMES.map((name, i) => [i, name] as const))(
    '%i, %s, is the one a seed is rendered as',
    async (i, name) => {
      const end = NAMES.map((_, other) => (other === i ? 1 : -1));
      const { data } = generator.render(withEnd('alice', ...end));
      expect(await pixelsOf('img', { seed: 'alice', class: name })).toEqual(data);
    },
  );

  it('that a seed has anyway changes nothing', async () => {
    const own = NAMES[seedToLatent('alice', generator.latentSpace).subarray(97).indexOf(1)]!;
    const [plain, named, other] = await Promise.all([
      bytesOf('img', { seed: 'alice' }),
      bytesOf('img', { seed: 'alice', class: own }),
      bytesOf('img', { seed: 'alice', class: NAMES.find((name) => name !== own)! }),
    ]);
    expect(named).toEqual(plain);
    expect(other).not.toEqual(plain);
  });

  it('is where moves begin', async () => {
    // The test generator's second direction is the last component: from −1 far enough to 1.
    const move = 'やすな: 1\\, 2:4';
    const { data } = generator.render(withEnd('alice', 1, -1, 1));
    expect(await pixelsOf('img', { seed: 'alice', class: NAMES[0]!, move })).toEqual(data);
  });

  it('is that of all on a sheet', async () => {
    const sheet = decode(await bytesOf('grid', { seed: 'a', n: '2', class: 'none' }));
    for (const [i, left, top] of [
      [1, 32, 0],
      [2, 0, 32],
    ] as const) {
      const picture = await pixelsOf('img', { seed: `a/${i}`, class: 'none' });
      const cut = picture.map((_, at) => {
        const [y, x] = [Math.floor(at / 96), at % 96];
        return sheet.data[((top + y) * sheet.width + left) * 3 + x]!;
      });
      expect(cut).toEqual(picture);
    }
  });

  it('is that of all seeds on a walk, and of no latent', async () => {
    const z = encodeLatent(new Float32Array(100).fill(0.5));
    const walk = { zfrom: z, via: 'b', to: 'c', steps: '3', class: 'ギル', format: 'json' };
    const { frames } = JSON.parse(new TextDecoder().decode(await bytesOf('morph', walk)));
    const ends = frames.map(({ latent }: { latent: number[] }) => latent.slice(97));
    expect(ends).toEqual([
      [0.5, 0.5, 0.5],
      [-1, 1, -1],
      [-1, 1, -1],
    ]);
    const faded = { from: 'a', to: 'b', steps: '2', space: 'pixel', class: 'ギル' };
    expect(await bytesOf('morph', faded)).toEqual(
      await bytesOf('morph', { ...faded, space: 'latent' }),
    );
  });

  it('is that of a sum, however many are taken away', async () => {
    const named = { class: 'none' };
    expect(await bytesOf('mix', { plus: 'a', ...named })).toEqual(
      await bytesOf('img', { seed: 'a', ...named }),
    );
    const [a, b] = [withEnd('a', 0, 0, 0), withEnd('b', 0, 0, 0)];
    const difference = a.map((value, i) => Math.max(-1, Math.min(1, value - b[i]!)));
    difference.set([-1, -1, 1], 97);
    expect(await pixelsOf('mix', { plus: 'a', minus: 'b', ...named })).toEqual(
      generator.render(difference).data,
    );
  });

  it('is that of all on a card; without one they are what the seed is', async () => {
    const seeds = Array.from({ length: 9 }, (_, i) => `a/${i}`);
    const labels = ['a', ...seeds].map((seed) =>
      seedToLatent(seed, generator.latentSpace).subarray(97).indexOf(1),
    );
    expect(new Set(labels).size).toBeGreaterThan(1); // else this would show nothing
    const plain = await bytesOf('og', { seed: 'a' });
    expect(await bytesOf('og', { seed: 'a', class: NAMES[labels[0]!]! })).toEqual(plain);
    const other = NAMES[(labels[0]! + 1) % 3]!;
    expect(await bytesOf('og', { seed: 'a', class: other })).not.toEqual(plain);
  });

  it('has tags of its own, is kept by a redirect, and is named by a saved file', async () => {
    const tag = async (path: string) =>
      (await app.request(path, { method: 'HEAD' })).headers.get('etag');
    const named = await tag('/img?seed=a&class=none');
    expect(await tag('/img?class=none&format=png&seed=a')).toBe(named);
    expect(await tag('/img?seed=a')).not.toBe(named);
    const composed = await tag(address('img', { seed: 'a', class: 'ギル' }));
    expect(composed).not.toBe(named);
    expect(await tag(address('img', { seed: 'a', class: 'ギル'.normalize('NFD') }))).toBe(composed);
    const { headers } = await app.request('/grid?class=none&n=2');
    expect(headers.get('location')).toMatch(/^\?seed=\w{10}&class=none&n=2$/);
    const saved = await app.request('/img?seed=a&class=none&download=1');
    expect(saved.headers.get('content-disposition')).toContain('"killme-a-none.png"');
  });

  it('can be asked for where /model says so, by the client too', async () => {
    const { latent, classes } = (await (await app.request('/model')).json()) as ModelFacts;
    expect([latent.classes, classes]).toEqual([Object.values(CLASSES), NAMES]);
    const href = createClient('http://localhost').img('a', { class: classes[0]! });
    expect(href).toBe('http://localhost/img?seed=a&class=hair%2C+long');
    expect((await app.request(href)).status).toBe(200);
  });
});

describe('a class is refused', () => {
  const z = encodeLatent(new Float32Array(100));

  it.each([
    ['img', { seed: 'a' }],
    ['grid', { seed: 'a', n: '1' }],
    ['og', { seed: 'a' }],
    ['mix', { plus: 'a' }],
    ['morph', { from: 'a', to: 'b' }],
  ])('by /%s when there is none of that name', async (route, query) => {
    expect(await faultOf(app, address(route, { ...query, class: 'None' }))).toEqual({
      parameter: 'class',
      allowed: 'one of: hair, long, ギル, none',
      received: 'None',
      detail: 'Parameter "class" must be one of: hair, long, ギル, none; got "None".',
    });
  });

  it('when the generator is not class-conditional, even if its pictures had some', async () => {
    const files = await randomGeneratorFiles();
    const manifest = JSON.parse(new TextDecoder().decode(files.get('generator.json')));
    const untold = createApp({
      ...diskOptions([nameFolder(folder)]),
      listGenerators: async () => [
        {
          name: 'untold',
          describe: async () => ({
            hash: 'a hash',
            manifest: { ...manifest, classes: ['none'] },
          }),
          load: () => Promise.reject(new Error('nothing is rendered here')),
        },
      ],
    });
    expect(await faultOf(untold, '/img?seed=a&class=none')).toMatchObject({
      allowed: 'omitted: this generator is not class-conditional',
      received: 'none',
    });
  });

  it('when no seed is there that it is for: a latent says its class itself', async () => {
    expect(await faultOf(app, `/img?z=${z}&class=none`)).toMatchObject({
      parameter: 'class',
      allowed: 'omitted where z is given',
    });
    expect(await faultOf(app, `/morph?zfrom=${z}&zto=${z}&class=none`)).toMatchObject({
      parameter: 'class',
      allowed: 'omitted where no seed is given',
    });
    const via = await app.request(`/morph?zfrom=${z}&zto=${z}&via=a&class=none&steps=3`);
    expect(via.status).toBe(200);
  });

  it('when it is empty', async () => {
    expect(await faultOf(app, '/img?seed=a&class=')).toMatchObject({
      allowed: 'a class that /model names, where its latent has classes',
    });
  });
});

describe('where there is a gallery', () => {
  it('a class is rendered, from the picture that the seed stands for', async () => {
    const target = `${folder}/gallery`;
    await writeGallery({ generator: folder, count: 1, target });
    const shown = createApp(diskOptions([{ ...nameFolder(folder), gallery: target }]));
    const answer = await shown.request('/img?seed=anyone&class=none&metadata=none');
    expect(answer.headers.get('killme-source')).toBe('rendered');
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(
      await bytesOf('img', { seed: '0', class: 'none' }),
    );
    const plain = await shown.request('/img?seed=anyone');
    expect(plain.headers.get('killme-source')).toBe('gallery');
  });
});
