import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { assembleAssets } from '../../scripts/assemble.ts';
import { writeGallery } from '../../scripts/prerender.ts';
import { createApp } from '../app.ts';
import { diskOptions } from '../runtimes/disk.ts';
import { nameFolder, readFolders, withGallery } from '../runtimes/named-folder.ts';
import { randomGeneratorFiles } from '../testing/index.ts';

/** Generators, and how they differ: in their pictures' size, and in whether they are class-conditional. */
const GENERATORS = {
  first: { classes: { long: 2, short: 1 } },
  second: { imageSize: 64 },
};

let folder: string;
let app: ReturnType<typeof createApp>;

const generators = () =>
  Object.keys(GENERATORS).map((name) => ({ name, folder: `${folder}/${name}` }));

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-models-`);
  for (const [name, options] of Object.entries(GENERATORS)) {
    await mkdir(`${folder}/${name}`);
    for (const [file, bytes] of await randomGeneratorFiles(options)) {
      await writeFile(`${folder}/${name}/${file}`, bytes);
    }
  }
  app = createApp(diskOptions(generators()));
});

afterAll(() => rm(folder, { recursive: true }));

async function answerOf(path: string, from = app) {
  const answer = await from.request(path);
  expect(answer.status, await answer.clone().text()).toBe(200);
  return { headers: answer.headers, bytes: new Uint8Array(await answer.arrayBuffer()) };
}

const factsOf = async (path: string) => (await app.request(path)).json();

describe('model=', () => {
  it.each(['img?seed=alice', 'mix?plus=a,b', 'grid?seed=a&n=2', 'morph?from=a&to=b&steps=2'])(
    'renders what a server of that generator alone renders: %s',
    async (path) => {
      for (const generator of generators()) {
        const alone = await answerOf(`/${path}`, createApp(diskOptions([generator])));
        const named = await answerOf(`/${path}&model=${generator.name}`);
        expect(named.bytes).toEqual(alone.bytes);
        expect(named.headers.get('etag')).toBe(alone.headers.get('etag'));
      }
    },
  );

  it('is the first one when it is omitted, and is then the same answer', async () => {
    const [unnamed, named] = [
      await answerOf('/img?seed=alice'),
      await answerOf('/img?model=first&seed=alice'),
    ];
    expect(named.bytes).toEqual(unnamed.bytes);
    expect(named.headers.get('etag')).toBe(unnamed.headers.get('etag'));
    expect(decode(unnamed.bytes)).toMatchObject({ width: 32, height: 32 });
    expect(decode((await answerOf('/img?seed=alice&model=second')).bytes).width).toBe(64);
  });

  it('stays when a random seed is chosen', async () => {
    const { headers } = await app.request('/img?model=second');
    expect(headers.get('location')).toMatch(/^\?seed=\w{10}&model=second$/);
  });

  it('is in the name of a saved file', async () => {
    const { headers } = await answerOf('/img?seed=alice&model=second&download=1');
    expect(headers.get('content-disposition')).toContain('"killme-alice-second.png"');
  });

  it('has its own facts and its own files', async () => {
    expect(await factsOf('/model')).toMatchObject({
      ...{ name: 'first', models: ['first', 'second'] },
      ...{ image: { width: 32 }, classes: ['long', 'short'] },
    });
    expect(await factsOf('/model?model=second')).toMatchObject({
      ...{ name: 'second', models: ['first', 'second'] },
      ...{ image: { width: 64 }, classes: [] },
    });
    expect(await factsOf('/generator/generator.json?model=second')).toMatchObject({
      image: { width: 64 },
    });
  });

  it('that is not there is answered with the names of those that are', async () => {
    for (const path of ['/img?seed=a', '/og?seed=a', '/model?', '/generator/generator.json?']) {
      const answer = await app.request(`${path}&model=third`);
      expect([path, answer.status]).toEqual([path, 400]);
      expect(await answer.json()).toMatchObject({
        detail: 'Parameter "model" must be one of: first, second; got "third".',
      });
    }
  });

  it('has the classes of its generator only', async () => {
    const answer = await app.request('/img?seed=a&class=long&model=second');
    expect(await answer.json()).toMatchObject({ errors: [{ parameter: 'class' }] });
  });
});

it('loads a generator when it is first rendered with, and no other', async () => {
  const sources = await diskOptions(generators()).listGenerators();
  const watched = sources.map((source) => ({ ...source, load: vi.fn(source.load) }));
  const lazy = createApp({ ...diskOptions([]), listGenerators: async () => watched });
  for (const path of ['/model', '/model?model=second', '/generator/generator.json?model=second']) {
    await answerOf(path, lazy);
  }
  await answerOf('/img?seed=a&model=second', lazy);
  await answerOf('/img?seed=b&model=second', lazy);
  expect(watched.map(({ load }) => load.mock.calls.length)).toEqual([0, 1]);
});

it('says which of several generators is damaged', async () => {
  const damaged = `${folder}/damaged`;
  await cp(`${folder}/second`, damaged, { recursive: true });
  await writeFile(`${damaged}/weights-0.bin`, 'short');
  const served = [...generators(), { name: 'third', folder: damaged }];
  const answer = await createApp(diskOptions(served)).request('/img?seed=a&model=third');
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    detail: expect.stringMatching(/missing or damaged: third: weights-0\.bin is damaged/),
  });
  await expect(assembleAssets({ generators: served }, `${folder}/assets`)).rejects.toThrow(
    /^third: weights-0\.bin is damaged/,
  );
});

it('has a gallery of the first generator only', async () => {
  const target = `${folder}/gallery`;
  await writeGallery({ generator: `${folder}/first`, count: 2, target });
  const shown = createApp(diskOptions(withGallery(generators(), target)));
  const source = async (path: string) => (await answerOf(path, shown)).headers.get('killme-source');
  expect(await source('/img?seed=a')).toBe('gallery');
  expect(await source('/img?seed=a&model=first')).toBe('gallery');
  expect(await source('/img?seed=a&model=second')).toBe('rendered');
  const rendered = await answerOf('/img?seed=a&model=second');
  expect((await answerOf('/img?seed=a&model=second', shown)).bytes).toEqual(rendered.bytes);
});

describe('--generator', () => {
  it('calls a folder by its name, and that of a run by the run’s', () => {
    const named = readFolders(['/a/lite', '/runs/faces-3/generator', '/b/my faces (3)', '/.é']);
    expect(named.map(({ name }) => name)).toEqual([
      ...['lite', 'faces-3', 'my-faces--3-', 'generator'],
    ]);
  });

  it('takes a name of one’s own before =, and a path as it is', () => {
    expect(readFolders(['old=/runs/a/generator', '/odd=name', './c=d/e'])).toMatchObject([
      { name: 'old', folder: '/runs/a/generator' },
      { name: 'odd-name', folder: '/odd=name' },
      { name: 'e', folder: expect.stringMatching(/c=d\/e$/) },
    ]);
  });

  it('refuses two of one name, and says how to name them', () => {
    expect(() => readFolders(['/a/lite', 'Lite=/b'])).toThrow(
      /^two generators are called Lite: give one of them another name, --generator NAME=DIR$/,
    );
    expect(nameFolder('/').name).toBe('generator');
  });

  it.each(['my model=/x', 'é=/x', '..=/x', '=/x', 'new='])(
    'refuses what is no name: %s',
    (text) => {
      expect(() => readFolders([text])).toThrow(/is no NAME=DIR: a name has 1 to 64 letters, /);
    },
  );
});
