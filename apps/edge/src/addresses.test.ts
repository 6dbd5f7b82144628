import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGallery } from '../scripts/prerender.ts';
import { createApp } from './app.ts';
import { diskOptions } from './runtimes/disk.ts';
import { readKept, withGallery } from './runtimes/named-folder.ts';
import { randomGeneratorFiles } from './testing/index.ts';

const FOR_EVER = 'public, max-age=31536000, immutable';
const AN_HOUR = 'public, max-age=600, stale-while-revalidate=3000';

interface Facts {
  name?: string;
  pin: string;
  hash: string;
  models: string[];
  pinned: { pin: string; hash: string; model?: string; img: string }[];
}

let folder: string;
let app: ReturnType<typeof createApp>;
/** Of the first, the second and the kept generator. */
let pins: string[];

const folderOf = (name: string) => `${folder}/${name}`;
const named = (...names: string[]) => names.map((name) => ({ name, folder: folderOf(name) }));

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-addresses-`);
  for (const [name, imageSize] of Object.entries({ first: 32, second: 64, earlier: 16 })) {
    await mkdir(folderOf(name));
    for (const [file, bytes] of await randomGeneratorFiles({ imageSize })) {
      await writeFile(`${folderOf(name)}/${file}`, bytes);
    }
  }
  app = createApp(diskOptions([...named('first', 'second'), ...readKept([folderOf('earlier')])]));
  pins = (await factsOf('/model')).pinned.map(({ pin }) => pin);
});

afterAll(() => rm(folder, { recursive: true }));

async function answerOf(path: string, from = app) {
  const answer = await from.request(path);
  expect(answer.status, `${path}: ${await answer.clone().text()}`).toBe(200);
  const { headers } = answer;
  return {
    bytes: new Uint8Array(await answer.arrayBuffer()),
    tag: headers.get('etag'),
    cacheControl: headers.get('cache-control'),
    type: headers.get('content-type'),
  };
}

const factsOf = async (path: string) => (await (await app.request(path)).json()) as Facts;

async function problemOf(path: string, from = app) {
  const answer = await from.request(path);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return (await answer.json()) as {
    status: number;
    detail: string;
    errors?: { parameter: string; allowed: string; received?: string }[];
  };
}

describe('a pinned address', () => {
  it.each([
    'img?seed=a',
    'morph?from=a&to=b&steps=2',
    'grid?seed=a&n=2',
    'mix?plus=a,b',
    'og?seed=a',
  ])(
    'is kept for a year, and otherwise the answer of the address without a pin: %s',
    async (path) => {
      const [pinned, unpinned] = [
        await answerOf(`/v/${pins[0]}/${path}`),
        await answerOf(`/${path}`),
      ];
      expect(pinned).toEqual({ ...unpinned, cacheControl: FOR_EVER });
      expect(unpinned.cacheControl).toBe(AN_HOUR);
    },
  );

  it('takes 8 to 64 digits of the hash', async () => {
    const { hash } = await factsOf('/model');
    const whole = await answerOf(`/v/${hash}/img?seed=a`);
    expect(await answerOf(`/v/${hash.slice(0, 8)}/img?seed=a`)).toEqual(whole);
    expect(await problemOf(`/v/${hash.slice(0, 7)}/img?seed=a`)).toMatchObject({
      status: 400,
      errors: [{ parameter: 'pin', received: hash.slice(0, 7) }],
    });
    for (const wrong of [`${hash}0`, hash.toUpperCase(), 'latest', '%FF', '..%2F', `${pins[0]}-`]) {
      expect(await problemOf(`/v/${wrong}/img?seed=a`)).toMatchObject({ status: 400 });
    }
  });

  it('is 404 for another generator, with those that there are', async () => {
    const { status, detail, errors } = await problemOf('/v/00000000/img?seed=a');
    expect(status).toBe(404);
    expect(detail).toBe(
      `This server does not have the generator of /v/00000000, only those of ` +
        `/v/${pins[0]}, /v/${pins[1]}, /v/${pins[2]}.`,
    );
    expect(errors).toEqual([
      { parameter: 'pin', allowed: `one of: ${pins.join(', ')}`, received: '00000000' },
    ]);
  });

  it('refuses model=, as the path names the generator', async () => {
    expect(await problemOf(`/v/${pins[0]}/img?seed=a&model=second`)).toMatchObject({
      status: 400,
      errors: [{ parameter: 'model', received: 'second' }],
    });
  });

  it('redirects to a random seed under the same pin', async () => {
    const { status, headers } = await app.request(`/v/${pins[1]}/img?size=64`);
    expect([status, headers.get('location')]).toEqual([
      302,
      expect.stringMatching(/^\?seed=\w{10}&size=64$/),
    ]);
  });

  it('has the facts and the files of its generator', async () => {
    expect(await factsOf(`/v/${pins[1]}/model`)).toMatchObject({ name: 'second', pin: pins[1] });
    const file = await answerOf(`/v/${pins[1]}/generator/generator.json`);
    expect(file.bytes).toEqual((await answerOf('/generator/generator.json?model=second')).bytes);
    expect(file.cacheControl).toBe(FOR_EVER);
  });

  it('is sound while another generator is damaged, and 503 when it may be of that one', async () => {
    const options = diskOptions([...named('first'), { name: 'gone', folder: folderOf('gone') }]);
    const damaged = createApp(options);
    expect((await damaged.request(`/v/${pins[0]}/img?seed=a`)).status).toBe(200);
    expect((await damaged.request('/v/00000000/img?seed=a')).status).toBe(503);
  });
});

describe('an earlier generator that is kept', () => {
  it('answers at its pin, and no name is its', async () => {
    const alone = createApp(diskOptions(named('earlier')));
    const kept = await answerOf(`/v/${pins[2]}/img?seed=a`);
    expect(kept.bytes).toEqual((await answerOf('/img?seed=a', alone)).bytes);
    const facts = await factsOf(`/v/${pins[2]}/model`);
    expect([facts.name, facts.models]).toEqual([undefined, ['first', 'second']]);
    expect(facts.pinned[2]).toEqual({
      pin: pins[2],
      hash: facts.hash,
      img: `v/${pins[2]}/img`,
    });
    expect(await problemOf('/img?seed=a&model=earlier')).toMatchObject({ status: 400 });
  });
});

describe('a server whose generators are never replaced', () => {
  it('has every picture kept for a year', async () => {
    const immutable = createApp({
      ...diskOptions(named('first')),
      isImmutable: async () => true,
    });
    expect((await answerOf('/img?seed=a', immutable)).cacheControl).toBe(FOR_EVER);
  });
});

describe('a gallery', () => {
  it('has a pin of its own: its generator renders at the generator’s', async () => {
    const target = folderOf('gallery');
    await writeGallery({ generator: folderOf('first'), count: 3, target });
    const shown = createApp(diskOptions(withGallery(named('first'), target)));
    const { pin } = (await (await shown.request('/model')).json()) as Facts;
    expect(pin).toBe(`${pins[0]}-3`);
    const ofGallery = await answerOf('/img?seed=alice', shown);
    expect((await answerOf(`/v/${pin}/img?seed=alice`, shown)).bytes).toEqual(ofGallery.bytes);
    const rendered = await answerOf(`/v/${pins[0]}/img?seed=alice`);
    expect(await answerOf(`/v/${pins[0]}/img?seed=alice`, shown)).toEqual(rendered);
    expect(rendered.bytes).not.toEqual(ofGallery.bytes);
    // Seeds would stand for others of four pictures.
    expect(await problemOf(`/v/${pins[0]}-4/img?seed=alice`, shown)).toMatchObject({ status: 404 });
    expect(await problemOf(`/v/${pin}/img?seed=alice`)).toMatchObject({ status: 404 });
  });

  it('is kept whole: its files, its pin, and what its generator renders', async () => {
    const target = folderOf('gallery');
    await writeGallery({ generator: folderOf('first'), count: 3, target });
    const before = createApp(diskOptions(withGallery(named('first'), target)));
    const after = createApp(diskOptions([...named('second'), ...readKept([target])]));
    for (const path of [
      `/g/${pins[0]}/2.png`,
      `/v/${pins[0]}-3/img?seed=alice`,
      `/v/${pins[0]}-3/morph?from=alice&to=bob&steps=2`,
      `/v/${pins[0]}/img?seed=alice`,
    ]) {
      expect(await answerOf(path, after)).toEqual(await answerOf(path, before));
    }
    const { pinned, models } = (await (await after.request('/model')).json()) as Facts;
    expect([models, pinned.map(({ pin }) => pin)]).toEqual([['second'], [pins[1], `${pins[0]}-3`]]);
  });

  it('is kept though newer code would render other bytes; as the first one it is made again', async () => {
    const target = folderOf('gallery');
    await writeGallery({ generator: folderOf('first'), count: 3, target });
    const manifest = `${target}/gallery.json`;
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace(/"rendering": \d+/, '"rendering": 1'));
    const kept = createApp(diskOptions([...named('second'), ...readKept([target])]));
    await answerOf(`/g/${pins[0]}/2.png`, kept);
    const first = createApp(diskOptions(withGallery(named('first'), target)));
    expect(await problemOf('/img?seed=a', first)).toMatchObject({
      status: 503,
      detail: expect.stringContaining('make it again'),
    });
  });
});

describe('a path like a file’s', () => {
  it.each([
    ['/img/alice.png', '/img?seed=alice'],
    ['/img/alice.webp', '/img?seed=alice&format=webp'],
    ['/img/128/alice.png', '/img?seed=alice&size=128'],
    [
      '/img/64/v1.2.webp?move=direction-1:1',
      '/img?seed=v1.2&size=64&format=webp&move=direction-1:1',
    ],
    ['/img/%E6%97%A5%E6%9C%AC%E8%AA%9E.png', '/img?seed=日本語'],
    ['/img/日本語.png', '/img?seed=日本語'],
    ['/img/a%2Fb.png', '/img?seed=a/b'],
    ['/img/..%2F..%2Fetc.png', '/img?seed=../../etc'],
    ['/img/%252F.png', '/img?seed=%252F'],
    ['/img/1%2B1+1.png', '/img?seed=1%2B1%2B1'],
    ['/img/what%3F%23.png', '/img?seed=what%3F%23'],
    ['/morph/alice/bob.png?steps=3', '/morph?from=alice&to=bob&steps=3'],
    ['/morph/a%2Fb/bob.gif?steps=2', '/morph?from=a/b&to=bob&steps=2&format=gif'],
    ['/morph/alice/bob.json?steps=2', '/morph?from=alice&to=bob&steps=2&format=json'],
  ])('%s is %s, pinned or not', async (path, query) => {
    const expected = await answerOf(query);
    expect(await answerOf(path)).toEqual(expected);
    expect(await answerOf(`/v/${pins[0]}${path}`)).toEqual({ ...expected, cacheControl: FOR_EVER });
  });

  it.each([
    ['/img/alice.gif', 400, 'Parameter "format" must be png or webp; got "gif".'],
    [
      '/img/alice',
      400,
      'Parameter "format" must be the end of the path, as in alice.png; got "alice".',
    ],
    ['/img/.png', 400, 'Parameter "seed" must be any text of 1 to 256 characters; got "".'],
    ['/img/%FF.png', 400, 'Parameter "seed" must be UTF-8, percent-encoded; got "%FF".'],
    ['/img/13/alice.png', 400, 'Parameter "size" must be a whole number from 64 to 512; got "13".'],
    [
      '/img/alice.png?seed=bob',
      400,
      'Parameter "seed" must be omitted where the path says it; got "bob".',
    ],
    [
      '/img/alice.png?format=png',
      400,
      'Parameter "format" must be omitted where the path says it; got "png".',
    ],
    [
      '/img/a/b.png',
      404,
      'There is nothing at /img/a/b.png: before the file is a size in pixels, and a slash in a seed is %2F.',
    ],
    ['/img/a/b/c.png', 404, 'There is nothing at /img/a/b/c.png.'],
    ['/morph/bob.gif', 404, 'There is nothing at /morph/bob.gif.'],
  ])('%s is %s: %s', async (path, status, detail) => {
    expect(await problemOf(path)).toMatchObject({ status, detail });
  });
});
