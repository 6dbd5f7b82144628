// @module-tag slow
import { encodeLatent, type Picture } from '@killme/model';
import fc from 'fast-check';
import { decode } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../app.ts';
import { createGallery } from '../../generator/gallery.ts';
import type { Generator } from '../../generator/generator.ts';
import { joinSeeds } from '../../http/seed-list.ts';
import { encodePng } from '../../images/png.ts';
import { compileWebpBinary } from '../../runtimes/disk.ts';

interface Parameter {
  name: string;
  in: 'query' | 'path';
  example?: string | number;
  description: string;
  required?: boolean;
  schema: {
    type: string;
    description: string;
    format?: string;
    enum?: string[];
    minimum?: number;
    maximum?: number;
    minLength?: number;
    maxLength?: number;
  };
}

interface Operation {
  parameters?: Parameter[];
  tags: string[];
  responses: Record<string, { content?: Record<string, unknown> }>;
  'x-example'?: { address: string; width: number; height: number };
}

const CLASSES = ['raven', 'hair: long, or not'];

/** Two names of one generator will do here. */
const MODELS = ['first', 'second-1.0_b'];

/** Renders what a test needs: eight by eight pixels that depend on the latent. */
const generator: Generator = {
  manifest: {
    format: 'killme-generator',
    version: 4,
    preset: 'article',
    latent: { size: 100, distribution: 'uniform', classes: [2, 1] },
    image: { width: 8, height: 8, channels: 3, range: [-1, 1] },
    classes: CLASSES,
    directions: ['direction-1', 'hair: long, or not'].map((name) => ({
      name,
      kind: 'factor',
      vector: encodeLatent(new Float32Array(100).fill(0.1)),
    })),
    training: {},
    shards: [],
  } as unknown as Generator['manifest'],
  hash: '0123456789abcdef',
  renderMs: 1,
  latentSpace: { size: 100, distribution: 'uniform', classes: [2, 1] },
  render: (latent) => ({
    width: 8,
    height: 8,
    channels: 3,
    data: Uint8Array.from({ length: 192 }, (_, i) => 128 + 127 * latent[i % 100]!),
  }),
};

/** How a file of the page begins, by its ending. */
const BEGINNINGS: Record<string, string> = {
  html: '<!doctype html>',
  css: ':root {}',
  js: 'export {};',
  wasm: '\0asm',
};

const gallery = createGallery(20, generator, () =>
  encodePng(generator.render(new Float32Array(100)) as Picture),
);

const app = createApp({
  listGenerators: async () =>
    MODELS.map((name) => ({
      name,
      load: async () => generator,
      openFile: async () => new Response('{}').body!,
      openGallery: async () => (name === MODELS[0] ? undefined : gallery),
    })),
  readPage: async (name) => new TextEncoder().encode(BEGINNINGS[name.split('.').at(-1)!]),
  loadWebpBinary: compileWebpBinary,
});

let paths: Record<string, { get: Operation }>;
/** Every operation, by a path that can be asked for. */
let operations: [path: string, operation: Operation][];

beforeAll(async () => {
  const document = (await (await app.request('/openapi.json')).json()) as { paths: typeof paths };
  paths = document.paths;
  operations = Object.entries(paths).map(([path, { get }]) => {
    const { parameters = [] } = get;
    const address = parameters
      .filter((parameter) => parameter.in === 'path')
      .reduce((filled, { name, example }) => filled.replace(`{${name}}`, String(example)), path);
    const asked = parameters.filter((parameter) => parameter.in === 'query');
    return [address, { ...get, parameters: asked }];
  });
});

/** A request and, when something is wrong with it, the name of what is. */
interface Case {
  path: string;
  pairs: [name: string, value: string][];
  /** One more pair, as it is sent. */
  raw?: string;
  fault?: string;
}

/** Any text that can be sent: no lone surrogates. */
const text = (minLength: number, maxLength: number) =>
  fc.string({ unit: 'binary', minLength, maxLength });

const seed = fc.oneof(
  text(1, 20),
  text(1, 256),
  fc.constantFrom('👶🏽'.repeat(128), ',', '\\', '%', '../', '__proto__', '<script>', '\0', '&=#+'),
);

function validValue({ schema }: Parameter): fc.Arbitrary<string> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.type === 'integer') {
    return fc.integer({ min: schema.minimum!, max: schema.maximum! }).map(String);
  }
  if (schema.format === 'seed-list') {
    return fc.array(text(1, 40), { minLength: 1, maxLength: 8 }).map(joinSeeds);
  }
  if (schema.format === 'latent') return latent(100);
  if (schema.format === 'class') return fc.constantFrom(...CLASSES);
  if (schema.format === 'model') return fc.constantFrom(...MODELS);
  if (schema.format === 'moves') {
    const direction = fc.constantFrom('direction-1', 'hair: long, or not');
    const strength = fc.integer({ min: -4000, max: 4000 }).map((n) => n / 1000);
    const move = fc.tuple(direction, strength).map((parts) => parts.join(':'));
    return fc.array(move, { minLength: 1, maxLength: 16 }).map(joinSeeds);
  }
  return seed;
}

/** The text of a latent of so many numbers. */
const latent = (size: number) =>
  fc
    .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: size, maxLength: size })
    .map((numbers) => encodeLatent(Float32Array.from(numbers)));

function invalidValue({ schema }: Parameter): fc.Arbitrary<string> {
  const other = fc.oneof(text(0, 300), fc.constantFrom('', '1e3', ' 5', '5 ', '0x10', '-0', '٣'));
  if (schema.enum) return other.filter((value) => !schema.enum!.includes(value));
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema;
    return fc.oneof(
      fc
        .maxSafeInteger()
        .filter((n) => n < minimum! || n > maximum!)
        .map(String),
      fc
        .double()
        .filter((n) => !Number.isInteger(n))
        .map(String),
      other.filter((value) => !/^\d+$/.test(value)),
    );
  }
  if (schema.format === 'seed-list') {
    return fc.oneof(
      fc.constantFrom('', ',', 'a,,b', 'a,', ',a', 'a,b,c,d,e,f,g,h,i'),
      text(257, 300).map((long) => `a,${joinSeeds([long])}`),
    );
  }
  if (schema.format === 'latent') {
    const wrong = [NaN, Infinity, 1.01].map((value) => new Float32Array(100).fill(value, 99));
    return fc.oneof(
      latent(99),
      latent(101),
      fc.constantFrom(...wrong.map(encodeLatent)),
      latent(100).map((right) => `${right}=`),
      latent(100).map((right) => `${right.slice(0, -1)}_`), // bits beyond the last number
      text(0, 300),
    );
  }
  if (schema.format === 'moves') {
    return fc.oneof(
      fc.constantFrom('', 'direction-1', 'direction-1:', 'direction-1:4.001', 'direction-1:1e0'),
      fc.constantFrom('direction-1:+1', 'direction-1:0.0001', ':1', 'direction-1:1,', 'other:1'),
      fc.constant(Array(17).fill('direction-1:1').join(',')),
    );
  }
  if (schema.format === 'class') return other.filter((value) => !CLASSES.includes(value));
  if (schema.format === 'model') return other.filter((value) => !MODELS.includes(value));
  return fc.oneof(fc.constant(''), text(schema.maxLength! + 1, schema.maxLength! + 40));
}

/** Percent-encoded bytes that no text has. */
const notUtf8 = fc.constantFrom('%FF', '%', '%C3', 'a%ED%A0%80', '%C0%80b', '%F4%90%80%80', '%zz');

/** What stands for one another: of each pair one may be given; of those that must be, one is. */
const ALTERNATIVES = [
  ['seed', 'z'],
  ['from', 'zfrom'],
  ['to', 'zto'],
] as const;
const NEEDED = ['from', 'to'];

/** A class is of seeds: with latents only, there is none to ask for. */
function withoutVainClass(pairs: Case['pairs']): Case['pairs'] {
  const names = pairs.map(([name]) => name);
  const isOfLatents =
    names.includes('z') ||
    (names.includes('zfrom') && names.includes('zto') && !names.includes('via'));
  return isOfLatents ? pairs.filter(([name]) => name !== 'class') : pairs;
}

/** A right request: all that must be there, some of what may be, in any order. */
function validCase([path, { parameters = [] }]: [string, Operation]): fc.Arbitrary<Case> {
  const names = parameters.map(({ name }) => name);
  const alternatives = ALTERNATIVES.filter((pair) => pair.every((name) => names.includes(name)));
  const single = parameters.filter(({ name }) => !alternatives.flat().some((one) => one === name));
  const pairs = single.map((parameter) => {
    const pair = validValue(parameter).map((value): [string, string][] => [
      [parameter.name, value],
    ]);
    return parameter.required ? pair : fc.oneof(pair, fc.constant<[string, string][]>([]));
  });
  const either = alternatives.map((pair) => {
    const values = parameters
      .filter(({ name }) => pair.some((one) => one === name))
      .map((parameter) =>
        validValue(parameter).map((value): [string, string][] => [[parameter.name, value]]),
      );
    return NEEDED.includes(pair[0])
      ? fc.oneof(...values)
      : fc.oneof(...values, fc.constant<[string, string][]>([]));
  });
  return fc
    .tuple(...pairs, ...either)
    .map((chosen) => withoutVainClass(chosen.flat()))
    .chain((chosen) => fc.shuffledSubarray(chosen, { minLength: chosen.length }))
    .map((chosen) => ({ path, pairs: chosen }));
}

/** What browsers open or load, or what are files elsewhere: parameters that it does not know are ignored. */
const isPage = ([path, { responses }]: [string, Operation]) =>
  path.startsWith('/g/') ||
  Object.keys(responses[200]?.content ?? {}).some((type) => /^text\/|wasm$/.test(type));

/** A right request with one thing made wrong. */
function invalidCase(operation: [string, Operation]): fc.Arbitrary<Case> {
  const [, { parameters = [] }] = operation;
  const names = parameters.map(({ name }) => name);
  const without = (pairs: Case['pairs'], gone: string) => pairs.filter(([name]) => name !== gone);
  const insert = ({ path, pairs }: Case, name: string, ...values: string[]): fc.Arbitrary<Case> => {
    const written = values.map((value): [string, string] => [name, value]);
    // One thing only is to be wrong: a latent that is put in makes a class wrong too.
    const others = withoutVainClass([...without(pairs, name), ...written]);
    const all = [...without(others, name), ...written];
    return fc
      .shuffledSubarray(all, { minLength: all.length })
      .map((shuffled) => ({ path, pairs: shuffled, fault: name }));
  };
  const unknown = text(0, 12).filter((name) => !names.includes(name));
  const kinds = [
    (right: Case) =>
      fc.tuple(unknown, text(0, 12)).chain(([name, value]) => insert(right, name, value)),
    (right: Case) =>
      fc.constantFrom(...names, 'x').chain((name) => {
        const [value] = names.includes(name) ? [name.toUpperCase()] : ['X'];
        return insert(right, value!, 'a');
      }),
    ...parameters.map(
      (parameter) => (right: Case) =>
        invalidValue(parameter).chain((value) => insert(right, parameter.name, value)),
    ),
    ...parameters.map(
      (parameter) => (right: Case) =>
        fc
          .tuple(validValue(parameter), validValue(parameter))
          .chain((values) => insert(right, parameter.name, ...values)),
    ),
    ...parameters.map(
      ({ name }) =>
        (right: Case) =>
          notUtf8.map((bytes): Case => {
            const pairs = without(right.pairs, name);
            return { ...right, pairs, raw: `${encodeURIComponent(name)}=${bytes}`, fault: name };
          }),
    ),
    ...parameters
      .filter(({ required }) => required)
      .map(
        ({ name }) =>
          (right: Case) =>
            fc.constant<Case>({ ...right, pairs: without(right.pairs, name), fault: name }),
      ),
  ];
  return validCase(operation).chain((right) => fc.oneof(...kinds.map((kind) => kind(right))));
}

function addressOf({ path, pairs, raw }: Case): string {
  const written = pairs.map((pair) => pair.map(encodeURIComponent).join('='));
  return `${path}?${[...written, ...(raw === undefined ? [] : [raw])].join('&')}`;
}

/** Pixels that an answer will have, so that the test renders only small ones. */
function pixelsOf({ path, pairs }: Case): number {
  const values = new Map(pairs);
  const number = (name: string, preset: number) => Number(values.get(name) ?? preset);
  if (path === '/og') return 1200 * 630;
  const pictures = path.startsWith('/morph')
    ? number('steps', 10)
    : path === '/grid'
      ? number('n', 5) ** 2
      : 1;
  return pictures * number('size', 8) ** 2;
}

const MAGIC: Record<string, string> = {
  'image/png': '\x89PNG',
  'image/apng': '\x89PNG',
  'image/gif': 'GIF89a',
  'image/webp': 'RIFF',
  'application/json': '{',
  'application/wasm': '\0asm',
  'text/css': ':root',
  'text/html': '<!docty',
  'text/javascript': 'export',
  'text/plain': 'User',
};

/** The answer at an address, or where it sends on to: what is wrong is reported there. */
async function follow(address: string, init?: RequestInit): Promise<Response> {
  const answer = await app.request(address, init);
  const location = answer.headers.get('location');
  if (location === null) return answer;
  return app.request(new URL(location, `http://localhost${address}`).href, init);
}

async function expectProblem(response: Response, status: number) {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  const problem = (await response.json()) as {
    detail: string;
    errors?: { parameter: string; allowed: string; received?: string }[];
  };
  expect(problem.detail).not.toMatch(/\.ts|\n\s+at /);
  return problem;
}

describe('the document', () => {
  it('has an example of every route that renders, and each works', async () => {
    const examples = operations.flatMap(([, operation]) => operation['x-example'] ?? []);
    expect(examples.map(({ address }) => address.split('?')[0])).toEqual([
      'img',
      'morph',
      'grid',
      'mix',
      'og',
    ]);
    for (const { address, width, height } of examples) {
      const response = await app.request(`/${address}`);
      expect(decode(await response.arrayBuffer())).toMatchObject({ width, height });
    }
  });

  it('calls each operation by its own name, and refers only to what it has', async () => {
    const document = await (await app.request('/openapi.json')).text();
    const names = [...document.matchAll(/"operationId": "(\w+)"/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(operations.length);
    const { components } = JSON.parse(document) as { components: Record<string, object> };
    const references = [...document.matchAll(/"\$ref": "#\/components\/(\w+)\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(20);
    for (const [, kind, name] of references) expect(components[kind!]).toHaveProperty(name!);
  });

  it('has a purpose and a range for every parameter', () => {
    for (const [path, { get }] of Object.entries(paths)) {
      for (const { name, description, schema } of get.parameters ?? []) {
        expect(description, `${name} of ${path}`).toMatch(/\.$/);
        expect(schema.description, `${name} of ${path}`).toBeTruthy();
      }
    }
  });

  it('gives a size in the path the bounds of one in the query', () => {
    const sizeOf = (path: string) =>
      paths[path]?.get.parameters?.find(({ name }) => name === 'size');
    const range = { type: 'integer', minimum: 64, maximum: 512 };
    expect(sizeOf('/img')).toMatchObject({ in: 'query', schema: range });
    expect(sizeOf('/img/{size}/{file}')).toMatchObject({ in: 'path', schema: range });
  });
});

describe('requests made from the document', () => {
  it('are answered as it says when they are right', async () => {
    const cases = fc.constantFrom(...operations).chain(validCase);
    await fc.assert(
      fc.asyncProperty(cases, async (right) => {
        const { responses } = operations.find(([path]) => path === right.path)![1];
        const address = addressOf(right);
        const head = await app.request(address, { method: 'HEAD' });
        if (head.status === 302) {
          expect(responses).toHaveProperty('302');
          const given = right.pairs.map(([name]) => name);
          expect(given).not.toContain('seed');
          expect(given).not.toContain('z');
          return;
        }
        if (head.status === 400) {
          const { errors } = await expectProblem(await app.request(address), 400);
          expect(errors).toHaveLength(1);
          expect(errors![0]).toMatchObject({
            parameter: 'size',
            allowed: expect.stringMatching(/ for \d+ pictures$/),
          });
          return;
        }
        expect(head.status).toBe(200);
        expect(head.headers.get('access-control-allow-origin')).toBe('*');
        const type = head.headers.get('content-type')!.split(';')[0]!;
        expect(Object.keys(responses[200]!.content!)).toContain(type);
        const tag = head.headers.get('etag');
        if (tag !== null) {
          const reordered = addressOf({ ...right, pairs: right.pairs.toReversed() });
          const known = await app.request(reordered, { headers: { 'If-None-Match': tag } });
          expect(known.status).toBe(304);
        }
        if (pixelsOf(right) > 20_000) return;
        const bytes = new Uint8Array(await (await app.request(address)).arrayBuffer());
        expect(String.fromCharCode(...bytes.subarray(0, 8))).toContain(MAGIC[type]);
      }),
      { numRuns: 2500 },
    );
  }, 60_000);

  it('are refused with the name of what is wrong', async () => {
    const strict = operations.filter((operation) => !isPage(operation));
    const cases = fc.constantFrom(...strict).chain(invalidCase);
    await fc.assert(
      fc.asyncProperty(cases, async (wrong) => {
        const { errors, detail } = await expectProblem(await follow(addressOf(wrong)), 400);
        const named = errors!.map(({ parameter }) => parameter);
        expect(named).toContain(wrong.fault);
        expect(detail).toContain(`"${wrong.fault}"`);
        expect(errors!.every(({ allowed }) => allowed.length > 0)).toBe(true);
        const head = await follow(addressOf(wrong), { method: 'HEAD' });
        expect([head.status, head.headers.get('cache-control')]).toEqual([400, 'no-store']);
      }),
      { numRuns: 2500 },
    );
  }, 60_000);

  it('of pages may have parameters of others, whatever they are', async () => {
    for (const [path] of operations.filter(isPage)) {
      for (const search of ['fbclid=x', 'utm_source=a&utm_source=b', '__proto__=1', '%FF=%FF']) {
        expect((await app.request(`${path}?${search}`)).status, path).toBe(200);
      }
    }
    expect((await app.request('/?model=third&fbclid=x')).status).toBe(400);
  });

  it('never break the server, whatever they are', async () => {
    const methods = fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE');
    const raw = fc.string({ unit: fc.constantFrom(...'%=&+,\\/?;aF0. '), maxLength: 30 });
    const path = fc.oneof(fc.constantFrom(...operations.map(([at]) => at)), raw);
    await fc.assert(
      fc.asyncProperty(methods, path, raw, async (method, at, search) => {
        const url = new URL('http://localhost');
        url.pathname = at;
        const response = await app.request(`${url.href}?${search}`, { method });
        expect([200, 204, 302, 400, 404, 405]).toContain(response.status);
        if (response.status >= 400 && method !== 'HEAD') {
          await expectProblem(response, response.status);
        }
      }),
      { numRuns: 1500 },
    );
  }, 60_000);
});

describe('the reference page', () => {
  it('tells of every route and parameter, with nothing from another host', async () => {
    const response = await app.request('/docs');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await response.text();
    for (const [path, { get }] of Object.entries(paths)) {
      const { parameters = [] } = get;
      expect(page).toContain(`<code>GET ${path}</code>`);
      for (const { name, schema } of parameters) {
        expect(page).toContain(`<code>${name}</code>`);
        expect(page).toContain(schema.description.replaceAll('"', '&quot;'));
      }
    }
    expect(page).toContain('&lt;seed&gt;/0');
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page).not.toMatch(/<script|style=/);
    expect((await app.request('/docs.css')).headers.get('content-type')).toContain('text/css');
  });
});
