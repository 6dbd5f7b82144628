import { encodeLatent, type Picture, seedToLatent, slerp } from '@killme/model';
import { decode, decodeApng } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import { createApp } from './app.ts';
import {
  createClient,
  type GridOptions,
  type ImageOptions,
  type MorphOptions,
  type OgOptions,
} from './client.ts';
import type { Generator } from './generator/generator.ts';
import { joinSeeds, splitSeeds } from './http/seed-list.ts';
import { compileWebpBinary } from './runtimes/disk.ts';
import { openRandomGenerator } from './testing/index.ts';

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

async function bytesOf(path: string): Promise<Uint8Array> {
  const response = await app.request(path);
  expect(response.status, path).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

async function pictureOf(path: string): Promise<Picture> {
  const { width, height, data } = decode(await bytesOf(path));
  return { width, height, channels: 3, data: Uint8Array.from(data) };
}

/** The 32×32 picture in a column and row of a sheet. */
function cut({ data, width }: Picture, column: number, row = 0): Uint8Array {
  return Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => {
    const y = row * 32 + Math.floor(i / 96);
    return data[(y * width + column * 32) * 3 + (i % 96)]!;
  });
}

async function faultOf(path: string) {
  const response = await app.request(path);
  expect(response.status).toBe(400);
  const { errors } = (await response.json()) as { errors: unknown[] };
  return errors[0];
}

describe('/grid', () => {
  it('shows the characters of numbered seeds, in rows', async () => {
    const sheet = await pictureOf('/grid?seed=a&n=2');
    expect([sheet.width, sheet.height]).toEqual([64, 64]);
    for (const i of [0, 1, 2, 3]) {
      const { data } = await pictureOf(`/img?seed=a/${i}`);
      expect(cut(sheet, i % 2, Math.floor(i / 2))).toEqual(data);
    }
  });

  it('has five rows, and a random seed when none is given', async () => {
    expect((await pictureOf('/grid?seed=a')).height).toBe(160);
    const response = await app.request('/grid?n=2');
    expect(response.headers.get('location')).toMatch(/^\?seed=[0-9a-z]{10}&n=2$/);
  });
});

describe('/mix', () => {
  it('adds and takes away', async () => {
    const a = await pictureOf('/img?seed=a');
    expect(await pictureOf('/mix?plus=a')).toEqual(a);
    expect(await pictureOf('/mix?plus=a,b&minus=b')).not.toEqual(await pictureOf('/mix?plus=a,b'));
    expect(await pictureOf('/mix?plus=b,a')).toEqual(await pictureOf('/mix?plus=a%2Cb'));
  });

  it('takes seeds that hold commas', async () => {
    const seed = 'Doe, John\\';
    const query = new URLSearchParams({ plus: joinSeeds([seed]) });
    const img = new URLSearchParams({ seed });
    expect(await pictureOf(`/mix?${query}`)).toEqual(await pictureOf(`/img?${img}`));
  });

  it.each([[''], [','], ['a,'], ['a,b,c,d,e,f,g,h,i'], ['a'.repeat(257)]])(
    'refuses the list %s',
    async (list) => {
      expect(await faultOf(`/mix?plus=a&minus=${list}`)).toMatchObject({
        parameter: 'minus',
        allowed: '1 to 8 seeds with commas between them, "\\," for a comma in a seed',
      });
    },
  );
});

describe('latents in addresses', () => {
  const space = { size: 100, distribution: 'uniform' } as const;
  /** A latent that float16 holds exactly. */
  const latent = seedToLatent('a latent', space).map((value) => Math.round(value * 512) / 512);
  const z = encodeLatent(latent);

  it('are rendered as they are', async () => {
    const { data } = await generator.render(latent);
    expect((await pictureOf(`/img?z=${z}`)).data).toEqual(data);
  });

  it('are ends of walks, to and from seeds too', async () => {
    const { data } = await pictureOf(`/img?z=${z}`);
    const seed = (await pictureOf('/img?seed=a')).data;
    const there = await pictureOf(`/morph?from=a&zto=${z}&steps=3`);
    expect([cut(there, 0), cut(there, 2)]).toEqual([seed, data]);
    const back = await pictureOf(`/morph?zfrom=${z}&to=a&steps=3`);
    expect([0, 1, 2].map((i) => cut(back, i))).toEqual([2, 1, 0].map((i) => cut(there, i)));
    const loop = await pictureOf(`/morph?zfrom=${z}&zto=${z}&via=a&loop=1&steps=3`);
    expect([cut(loop, 0), cut(loop, 2)]).toEqual([data, data]);
  });

  it('make file names without their 267 characters', async () => {
    const { headers } = await app.request(`/morph?zfrom=${z}&to=a&steps=2&download=1`);
    expect(headers.get('content-disposition')).toContain('"killme-morph-latent-a.png"');
  });

  const wrong = new Float32Array(100);
  it.each([
    ['of another length', encodeLatent(wrong.subarray(1)), 'has 264 characters'],
    ['that hold NaN', encodeLatent(wrong.with(2, NaN)), 'has NaN as number 3'],
    ['out of range', encodeLatent(wrong.with(99, 1.5)), 'has 1.5 as number 100'],
    ['written in another way', `${z.slice(0, -1)}_`, 'has bits beyond its last number'],
  ])('%s are refused', async (_, text, reason) => {
    const received = `${text.slice(0, 80)}…`;
    const allowed =
      '267 characters of base64url, the latent of 100 float16 numbers from -1 to 1; yours ';
    for (const [parameter, path] of [
      ['z', '/img?z='],
      ['zto', '/morph?from=a&zto='],
      ['zfrom', '/morph?to=a&zfrom='],
    ]) {
      const fault = await faultOf(`${path}${text}`);
      expect(fault).toEqual({ parameter, allowed: `${allowed}${reason}`, received });
    }
  });
});

describe('moves along directions', () => {
  const other = encodeURIComponent('やすな: 1\\, 2');

  it('change a latent by standard deviations, within its range', async () => {
    const latent = seedToLatent('a', generator.latentSpace);
    const deviation = 1 / Math.sqrt(3);
    const moved = latent
      .with(0, Math.min(1, latent[0]! + 0.75 * deviation))
      .with(99, Math.max(-1, latent[99]! - 4 * deviation));
    expect((await pictureOf(`/img?seed=a&move=direction-1:0.75,${other}:-4`)).data).toEqual(
      (await generator.render(moved)).data,
    );
  });

  it('begin at seeds, latents and mixtures', async () => {
    const moved = await pictureOf('/img?seed=a&move=direction-1:-1');
    expect(moved).not.toEqual(await pictureOf('/img?seed=a'));
    expect(await pictureOf('/mix?plus=a&move=direction-1:-1')).toEqual(moved);
    const [zero, one] = [0, 1].map((value) => encodeLatent(new Float32Array(100).with(0, value)));
    expect(await pictureOf(`/img?z=${zero}&move=direction-1:3`)).toEqual(
      await pictureOf(`/img?z=${one}`),
    );
  });

  it('of no strength are none', async () => {
    const tag = async (path: string) => (await app.request(path)).headers.get('etag');
    const [direction] = (await (await app.request('/model')).json()).directions;
    for (const path of ['/img?seed=a', '/mix?plus=a']) {
      expect(await tag(`${path}&move=${direction}:0`)).toBe(await tag(path));
    }
  });

  it('are one picture, however their numbers are written', async () => {
    const tag = async (move: string) =>
      (await app.request(`/img?seed=a&move=${move}`)).headers.get('etag');
    expect(await tag('direction-1:1.50')).toBe(await tag('direction-1:1.5'));
    expect(await tag('direction-1:1.5')).not.toBe(await tag('direction-1:1.25'));
  });

  it('stay when a seed is chosen at random', async () => {
    const response = await app.request('/img?move=direction-1:2');
    expect(response.headers.get('location')).toMatch(/^\?seed=\w{10}&move=direction-1:2$/);
  });

  it('are named by /model, and other names are refused with these', async () => {
    const { directions } = (await (await app.request('/model')).json()) as { directions: string[] };
    expect(directions).toEqual(['direction-1', 'やすな: 1, 2']);
    for (const path of ['/img?seed=a', '/mix?plus=a']) {
      expect(await faultOf(`${path}&move=smile:1`)).toEqual({
        parameter: 'move',
        allowed: 'along one of: direction-1, やすな: 1, 2',
        received: 'smile:1',
      });
    }
  });
});

describe('seed lists', () => {
  it.each([[['a']], [['a', 'b']], [['a,b', '\\', '\\,', ',']], [['C:\\x', '👶\\👶', '\n,']]])(
    'are read as they were written: %j',
    (seeds) => {
      expect(splitSeeds(joinSeeds(seeds))).toEqual(seeds);
    },
  );

  it('keep a backslash that escapes nothing', () => {
    expect(splitSeeds('a\\b,\\')).toEqual(['a\\b', '\\']);
  });
});

describe('walks', () => {
  it('go through the seeds between', async () => {
    const strip = await pictureOf('/morph?from=a&via=b,c&to=d&steps=7');
    for (const [i, seed] of ['a', 'b', 'c', 'd'].entries()) {
      expect(cut(strip, 2 * i)).toEqual((await pictureOf(`/img?seed=${seed}`)).data);
    }
  });

  it('that loop end one step before they begin again', async () => {
    const loop = await pictureOf('/morph?from=a&to=b&steps=4&loop=1');
    const there = await pictureOf('/morph?from=a&to=b&steps=3');
    expect([0, 1, 2, 3].map((i) => cut(loop, i))).toEqual([0, 1, 2, 1].map((i) => cut(there, i)));
  });

  it('are arcs between normal latents and lines between others, unless named', async () => {
    const other = await openRandomGenerator({ distribution: 'normal' });
    const normal = createApp({
      listGenerators: async () => [{ name: 'normal', load: async () => other }],
      readPage: async () => new Uint8Array(),
      loadWebpBinary: compileWebpBinary,
    });
    const tag = async (asked: typeof app, path: string) =>
      (await asked.request(`/morph?from=a&to=b&steps=3${path}`)).headers.get('etag');
    expect(await tag(normal, '')).toBe(await tag(normal, '&path=slerp'));
    expect(await tag(normal, '')).not.toBe(await tag(normal, '&path=linear'));
    expect(await tag(app, '')).toBe(await tag(app, '&path=linear'));
    const strip = decode(await (await normal.request('/morph?from=a&to=b&steps=3')).arrayBuffer());
    const [a, b] = ['a', 'b'].map((seed) => seedToLatent(seed, other.latentSpace));
    const { data } = await other.render(slerp(a!, b!, 0.5));
    expect(cut({ ...strip, channels: 3, data: Uint8Array.from(strip.data) }, 1)).toEqual(data);
  });

  it('fade between all seeds when pixels are asked for', async () => {
    const strip = await pictureOf('/morph?from=a&via=b&to=c&steps=5&space=pixel');
    const [b, c] = [cut(strip, 2), cut(strip, 4)];
    expect(cut(strip, 3)).toEqual(b.map((level, i) => Math.round((level + c[i]!) / 2)));
  });
});

describe('formats', () => {
  const walk = '/morph?from=a&to=b&steps=3';

  it('apng holds the pictures of the strip', async () => {
    const strip = await pictureOf(walk);
    const bytes = await bytesOf(`${walk}&format=apng`);
    const { frames, numberOfFrames, numberOfPlays } = decodeApng(bytes, { checkCrc: true });
    expect([numberOfFrames, numberOfPlays]).toEqual([3, 1]);
    expect(frames.map(({ data }) => Uint8Array.from(data))).toEqual(
      [0, 1, 2].map((i) => cut(strip, i)),
    );
    expect(frames.map(({ delayNumber }) => delayNumber)).toEqual([100, 100, 100]);
    const still = decode(bytes);
    expect(Uint8Array.from(still.data)).toEqual(cut(strip, 0));
    expect(decodeApng(await bytesOf(`${walk}&format=apng&loop=1`)).numberOfPlays).toBe(0);
  });

  it('gif is one, and says for ever only when it loops', async () => {
    const text = async (query: string) =>
      new TextDecoder('latin1').decode(await bytesOf(`${walk}&format=gif${query}`));
    expect(await text('')).toMatch(/^GIF89a \0 \0/);
    expect(await text('')).not.toContain('NETSCAPE2.0');
    expect(await text('&loop=1')).toContain('NETSCAPE2.0');
  });

  it('json tells where each picture lies', async () => {
    const json = JSON.parse(new TextDecoder().decode(await bytesOf(`${walk}&format=json`)));
    expect(json).toMatchObject({ width: 32, height: 32 });
    expect(json.frames).toHaveLength(3);
    expect(json.frames[1].position).toBe(0.5);
    expect(json.frames[1].latent).toHaveLength(100);
    const png = Buffer.from(json.frames[2].image.split(',')[1], 'base64');
    expect(decode(png).data).toEqual((await pictureOf('/img?seed=b')).data);
  });

  it('webp is one, of the same size, and smaller', async () => {
    for (const path of ['/img?seed=a&size=128', '/mix?plus=a,b&size=128', '/og?seed=a']) {
      const bytes = await bytesOf(`${path}&format=webp`);
      expect(new TextDecoder('latin1').decode(bytes)).toMatch(/^RIFF....WEBPVP8X/s);
      expect(bytes.length).toBeLessThan((await bytesOf(path)).length / 2);
    }
  });

  it('have their own content type', async () => {
    const types = await Promise.all(
      ['png', 'apng', 'gif', 'json'].map(async (format) =>
        (await app.request(`${walk}&format=${format}`)).headers.get('content-type'),
      ),
    );
    expect(types).toEqual(['image/png', 'image/apng', 'image/gif', 'application/json']);
  });
});

describe('size', () => {
  it('scales each picture', async () => {
    const { width, height, data } = await pictureOf('/img?seed=a&size=96');
    expect([width, height]).toEqual([96, 96]);
    const mean = (levels: Uint8Array) => levels.reduce((a, b) => a + b, 0) / levels.length;
    expect(mean(data)).toBeCloseTo(mean((await pictureOf('/img?seed=a')).data), -1);
    expect((await pictureOf('/morph?from=a&to=b&steps=3&size=64')).width).toBe(192);
    expect((await pictureOf('/grid?seed=a&n=3&size=64')).height).toBe(192);
    expect((await pictureOf('/mix?plus=a&size=512')).height).toBe(512);
  });

  it('is bounded by how many are asked for', async () => {
    expect(await faultOf('/morph?from=a&to=b&steps=64&size=512')).toEqual({
      parameter: 'size',
      allowed: 'a whole number from 64 to 221 for 64 pictures',
      received: '512',
    });
    expect((await app.request('/grid?seed=a&n=8&size=222')).status).toBe(400);
    expect((await app.request('/grid?seed=a&n=8&size=221', { method: 'HEAD' })).status).toBe(200);
  });
});

describe('/og', () => {
  it('is a card of the size that Open Graph wants', async () => {
    const { width, height } = await pictureOf('/og?seed=a');
    expect([width, height]).toEqual([1200, 630]);
  });
});

describe('download', () => {
  const disposition = async (path: string) =>
    (await app.request(path, { method: 'HEAD' })).headers.get('content-disposition');

  it('names the file', async () => {
    expect(await disposition('/img?seed=alice')).toBeNull();
    expect(await disposition('/img?seed=alice&download=1')).toBe(
      `attachment; filename="killme-alice.png"; filename*=UTF-8''killme-alice.png`,
    );
    expect(await disposition('/morph?from=a&to=b&format=gif&download=1')).toContain(
      'killme-morph-a-b.gif',
    );
  });

  it('lets no seed out of the name', async () => {
    const seed = encodeURIComponent('../"\r\n; x=\u202e\u{10ffff}日本');
    expect(await disposition(`/img?seed=${seed}&download=1`)).toBe(
      `attachment; filename="killme-..-x-.png"; filename*=UTF-8''killme-..-%3B-x%3D-%E6%97%A5%E6%9C%AC.png`,
    );
  });
});

describe('a quota for each sender', () => {
  it('is 429 beyond it, and only where something is rendered', async () => {
    const limited = createApp({
      listGenerators: async () => [
        {
          name: 'random',
          describe: async () => generator,
          load: () => Promise.reject(new Error('not needed')),
        },
      ],
      readPage: async () => new Uint8Array(),
      loadWebpBinary: compileWebpBinary,
      withinQuota: async () => false,
    });
    const response = await limited.request('/img?seed=a');
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('60');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    for (const path of ['/healthz', '/model', '/img']) {
      expect((await limited.request(path)).status).toBeLessThan(400);
    }
    const tag = (await app.request('/img?seed=a')).headers.get('etag')!;
    const headers = { 'If-None-Match': tag };
    expect((await limited.request('/img?seed=a', { headers })).status).toBe(304);
  });
});

describe('the client', () => {
  it('writes addresses of every route, with every option that a route takes', async () => {
    const client = createClient('http://localhost');
    const common = {
      ...{ size: 64, class: undefined, model: undefined, download: true },
      metadata: 'none',
    } as const;
    const image: Required<ImageOptions> = { ...common, format: 'webp', move: undefined };
    const walk: Required<MorphOptions> = {
      ...{ ...common, steps: 3, via: ['c,d', 'e'], space: 'latent', path: 'slerp', loop: true },
      format: 'json',
    };
    const sheet: Required<GridOptions> = { ...common, n: 2 };
    const { size: _, ...card } = common;
    for (const address of [
      client.img('a,b\\', image),
      client.morph('a b', '&', walk),
      client.grid('a', sheet),
      client.mix({ plus: ['a,b', 'c'], minus: ['d'] }, image),
      client.og('a', { ...card, format: 'png' } satisfies Required<OgOptions>),
    ]) {
      expect([address, (await app.request(address)).status]).toEqual([address, 200]);
    }
    expect(client.morph('a b', '&', { steps: 3 })).toBe(
      'http://localhost/morph?from=a+b&to=%26&steps=3',
    );
  });
});
