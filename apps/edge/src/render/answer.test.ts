import { describe, expect, it, vi } from 'vitest';
import { openRandomGenerator } from '../testing/index.ts';
import { describeFile, keyOf, metadataOf, send, tagOf, unmade } from './answer.ts';
import type { PicturePlan, PlannedFor } from './plan.ts';

const { manifest } = await openRandomGenerator({ imageSize: 64 });

const hash = '0123456789abcdef'.repeat(4);
const generator: PlannedFor = { manifest, hash, gallery: undefined };
const gallery = {
  pictures: 1000,
  image: manifest.image,
  seedOf: () => '7',
  read: async () => new Uint8Array(),
};

const plan: PicturePlan = {
  route: 'img',
  identity: { seed: 'a b', metadata: 'all', format: 'png' },
  title: 'a b',
  pictures: { from: 'generator', sizes: [], latents: () => [] },
  encoded: { pictures: 1, pixels: 0 },
  output: { format: 'png', compose: ([picture]) => picture! },
};
const fromGallery: PicturePlan['pictures'] = {
  ...{ from: 'gallery', gallery, seed: '7', isFile: false },
  size: { width: 64, height: 64 },
};

describe('what names an answer', () => {
  it('is one tag for one identity, and another for each generator, gallery, route and parameter', async () => {
    const { identity } = plan;
    const tags = await Promise.all([
      tagOf(plan, generator),
      tagOf({ ...plan, title: 'other', fileName: ['a'] }, generator),
      tagOf(plan, { ...generator, hash: 'f'.repeat(64) }),
      tagOf(plan, { ...generator, gallery }),
      tagOf({ ...plan, route: 'mix' }, generator),
      tagOf({ ...plan, identity: { ...identity, seed: 'b' } }, generator),
    ]);
    expect(tags[1]).toBe(tags[0]);
    expect(new Set(tags.slice(1)).size).toBe(5);
    expect(tags[0]).toMatch(/^"[0-9a-f]{32}"$/);
  });

  it('is its key in the stores, with the generator before it', () => {
    expect(keyOf(plan, generator, '"00ff"')).toBe(`${hash}/img/00ff.png`);
  });
});

describe('what a file says of itself', () => {
  it('is its title, its address for ever and its generator', () => {
    expect(metadataOf(plan, { ...generator, manifest: { ...manifest, credit: 'Ann' } })).toEqual({
      ...{
        title: 'a b',
        address: '/v/0123456789abcdef/img?seed=a%20b&format=png',
        generator: hash,
      },
      ...{ licence: undefined, credit: 'Ann' },
    });
  });

  it('names the gallery where seeds stand for its pictures, and the picture is of none of them', () => {
    const served = { ...generator, gallery };
    expect(metadataOf(plan, served)?.address).toMatch(/^\/v\/0123456789abcdef-1000\/img\?/);
    const shown = { ...plan, pictures: fromGallery };
    expect(metadataOf(shown, served)?.address).toMatch(/^\/v\/0123456789abcdef\/img\?/);
  });

  it('is nothing where none is asked for', () => {
    expect(metadataOf({ ...plan, identity: { metadata: 'none' } }, generator)).toBeUndefined();
  });
});

it('headers say the type, the licence and the name of the file', () => {
  const headers = new Headers();
  describeFile(headers, { ...plan, fileName: ['a'] }, { ...manifest, licence: 'CC-BY-4.0' });
  expect(Object.fromEntries(headers)).toEqual({
    'content-type': 'image/png',
    'content-disposition': `attachment; filename="killme-a.png"; filename*=UTF-8''killme-a.png`,
    link: '<https://creativecommons.org/licenses/by/4.0/>; rel="license"',
    'x-robots-tag': 'noindex',
  });
});

it('HEAD gets no body, and a stream of a store is closed for it', async () => {
  const cancel = vi.fn();
  const body = new ReadableStream({ cancel });
  const request = new Request('http://localhost/img?seed=a', { method: 'HEAD' });
  const response = await send(request, new Headers(), { body, source: 'disk' });
  expect([response.body, response.headers.get('killme-source')]).toEqual([null, 'disk']);
  expect(cancel).toHaveBeenCalled();
  expect([unmade(plan), unmade({ ...plan, pictures: fromGallery })]).toEqual([
    { source: 'rendered' },
    { source: 'gallery' },
  ]);
});
