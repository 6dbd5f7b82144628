/**
 * The OpenAPI document. What the parameters may be comes from the schemas that check them
 * (parameters.ts); here is only what a reader wants to know of each route.
 *
 * @module
 */
import { z } from 'zod';
import { createDocument, type ZodOpenApiResponseObject } from 'zod-openapi';
import {
  gridParameters,
  imgParameters,
  mixParameters,
  morphParameters,
  noParameters,
  ogParameters,
} from './parameters.ts';

/** What a reader is told of one route. */
interface RouteFacts {
  summary: string;
  description: string;
  parameters: z.ZodObject;
  /** A query that shows what the route is for, and the size of its picture. */
  example?: { query: string; width: number; height: number };
  answer: { description: string; content: Record<string, z.ZodType> };
  /** Without a seed it redirects to a random one. */
  redirects?: boolean;
}

const bytes = z.unknown().meta({ override: { type: 'string', format: 'binary' } });

const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: 'one sentence for a person' }),
    errors: z
      .array(
        z.object({
          parameter: z.string(),
          allowed: z.string().meta({ description: 'what would have been right, in words' }),
          received: z.string().optional(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const walk = z
  .object({
    width: z.number().int(),
    height: z.number().int(),
    frames: z.array(
      z.object({
        position: z.number().meta({ description: '0 at the first seed, 1 at the next, and so on' }),
        latent: z.array(z.number()).optional().meta({ description: 'absent when space=pixel' }),
        image: z.string().meta({ description: 'a PNG as data URL' }),
      }),
    ),
  })
  .meta({ id: 'Walk' });

/** What `/morph?format=json` answers. */
export type Walk = z.infer<typeof walk>;

const model = z
  .object({
    preset: z.string(),
    hash: z.string().meta({ description: 'SHA-256, hex; names the generator and all its weights' }),
    bytes: z.number().int(),
    latent: z.object({ size: z.number().int(), distribution: z.literal('uniform') }),
    image: z.object({
      width: z.number().int(),
      height: z.number().int(),
      channels: z.number().int(),
    }),
    classes: z.array(z.string()),
    training: z.record(z.string(), z.unknown()),
    gallery: z
      .object({ pictures: z.number().int() })
      .optional()
      .meta({ description: 'present where /img answers from pictures that were made beforehand' }),
  })
  .meta({ id: 'Model' });

const health = z.object({
  status: z.literal('ok'),
  pictures: z.object({
    drawn: z.number().int().meta({ description: 'since this isolate of the server began' }),
    underWay: z.number().int().meta({ description: 'for the requests that wait now' }),
  }),
});

const png = { 'image/png': bytes };
const still = { ...png, 'image/webp': bytes };

/** Every route that programs use, by path. */
const ROUTES: Record<string, RouteFacts> = {
  '/img': {
    summary: 'The character of a seed',
    description:
      'One picture. The same seed is the same character, for as long as the generator stays; ' +
      'where /model tells of a gallery, it is one of that many.',
    parameters: imgParameters,
    example: { query: 'seed=alice&size=128', width: 128, height: 128 },
    answer: { description: 'The picture.', content: still },
    redirects: true,
  },
  '/morph': {
    summary: 'A walk from one character to another',
    description:
      'Pictures at even steps on the line between the latents of two seeds, or of several. ' +
      'With space=pixel it is the cross-fade that a walk is not.',
    parameters: morphParameters,
    example: { query: 'from=alice&to=bob&steps=7&size=128', width: 896, height: 128 },
    answer: {
      description: 'The walk: a strip from left to right, an animation, or its parts.',
      content: { ...png, 'image/apng': bytes, 'image/gif': bytes, 'application/json': walk },
    },
  },
  '/grid': {
    summary: 'A contact sheet',
    description:
      'n × n characters in rows: those of the seeds <seed>/0, <seed>/1 and so on, which /img knows too.',
    parameters: gridParameters,
    example: { query: 'seed=alice&n=3&size=128', width: 384, height: 384 },
    answer: { description: 'The sheet.', content: png },
    redirects: true,
  },
  '/mix': {
    summary: 'Arithmetic with characters',
    description:
      'The character of a sum of latents, each number of it kept between -1 and 1: alice + bob − carol.',
    parameters: mixParameters,
    example: { query: 'plus=alice,bob&minus=carol&size=128', width: 128, height: 128 },
    answer: { description: 'The picture.', content: still },
  },
  '/og': {
    summary: 'A card for link previews',
    description:
      'The character of a seed, large, and nine like it: 1200 × 630 pixels, for og:image.',
    parameters: ogParameters,
    example: { query: 'seed=alice', width: 1200, height: 630 },
    answer: { description: 'The card.', content: still },
    redirects: true,
  },
  '/model': {
    summary: 'Facts of the generator',
    description: 'What it was trained on and for how long, what it takes and what it makes.',
    parameters: noParameters,
    answer: { description: 'The facts.', content: { 'application/json': model } },
  },
  '/healthz': {
    summary: 'Whether the server answers',
    description: 'How busy it is, too. Says nothing of the generator, and loads none.',
    parameters: noParameters,
    answer: { description: 'It does.', content: { 'application/json': health } },
  },
};

/** An OpenAPI document. */
export type OpenApi = ReturnType<typeof createDocument>;

/** The OpenAPI 3.1 document of the image server. */
export const describeApi = (): OpenApi =>
  createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Killme',
      version: '1.0.0',
      description:
        'Characters that a DCGAN dreams up. Any text is a seed and names a character: the same ' +
        'seed, options and generator give the same bytes. Answers to seeds may be kept for ever; ' +
        'their ETag does not depend on how a query is written. Unknown parameters are refused.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to the document: a proxy may serve it under any host and path.
    servers: [{ url: '.' }],
    paths: Object.fromEntries(
      Object.entries(ROUTES).map(([path, facts]) => [path, { get: operation(path, facts) }]),
    ),
  });

function operation(path: string, facts: RouteFacts) {
  const { summary, description, parameters, example } = facts;
  return {
    operationId: path.slice(1),
    summary,
    description,
    requestParams: { query: parameters },
    responses: responsesOf(path, facts),
    ...(example === undefined ? {} : { 'x-example': exampleOf(path, example) }),
  };
}

function responsesOf(
  path: string,
  { answer: { description, content }, redirects, example }: RouteFacts,
): Record<`${number}`, ZodOpenApiResponseObject> {
  const draws = example !== undefined;
  const always = {
    '200': {
      description,
      content: mediaTypes(content),
      ...(draws ? { headers: { 'Killme-Source': sourceHeader } } : {}),
    },
    '400': problemAnswer('A parameter is wrong, doubled or unknown; errors says which and why.'),
    '414': problemAnswer('The address is longer than 16 KiB.'),
  };
  if (path === '/healthz') return always;
  return {
    ...always,
    ...(redirects ? { '302': { description: 'No seed came: on to a random one.' } } : {}),
    '304': { description: 'You have it already (If-None-Match).' },
    ...(draws
      ? { '429': problemAnswer('Too many requests, where they are limited; see Retry-After.') }
      : {}),
    '503': problemAnswer(
      draws
        ? 'Too many pictures are being drawn, or the generator cannot be used; see Retry-After.'
        : 'The generator cannot be used now; see Retry-After.',
    ),
  };
}

const sourceHeader = {
  description: 'Where the answer comes from: drawn for you, kept from before, or of a gallery.',
  schema: { type: 'string' as const, enum: ['drawn', 'cache', 'r2', 'gallery'] },
};

/** Its address is relative to the document's, as `servers` is. */
const exampleOf = (path: string, { query, ...size }: NonNullable<RouteFacts['example']>) => ({
  address: `${path.slice(1)}?${query}`,
  ...size,
});

const mediaTypes = (content: Record<string, z.ZodType>) =>
  Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));

const problemAnswer = (description: string): ZodOpenApiResponseObject => ({
  description,
  content: { 'application/problem+json': { schema: problem } },
});
