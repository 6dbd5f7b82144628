/**
 * The OpenAPI document. What the parameters may be comes from the schemas that check them
 * (http/parameters.ts); here is only what a reader wants to know of each route.
 *
 * @module
 */
import * as z from 'zod';
import { createDocument, type ZodOpenApiResponseObject } from 'zod-openapi';
import {
  gridParameters,
  imgParameters,
  mixParameters,
  modelParameters,
  morphParameters,
  noParameters,
  ogParameters,
} from '../../http/parameters.ts';
import { walkSchema } from '../../images/walk.ts';
import { PAGE_FILES } from '../page.ts';

/** The description of one route. */
interface RouteFacts {
  tag: 'pictures' | 'facts' | 'files';
  summary: string;
  description: string;
  parameters: z.ZodObject;
  /** Parts of the path. */
  path?: z.ZodObject;
  /** It is of a generator: under `/v/<pin>/` too. */
  pinned?: boolean;
  /** A query that shows what the route is for, and the size of its picture. */
  example?: { query: string; width: number; height: number };
  answer: { description: string; content: Record<string, z.ZodType> };
  /** Without a seed it redirects to a random one. */
  redirects?: boolean;
  /** It never changes, or is new each time, so there is nothing to ask again for. */
  alwaysNew?: boolean;
}

const bytes = z.unknown().meta({ override: { type: 'string', format: 'binary' } });

const text = z.string();

/** The end of a path that says a parameter and the format. */
const pictureFile = (parameter: string, formats: string, example: string) =>
  z.string().meta({
    description: `${parameter}, percent-encoded (%2F for a slash), a dot, and the format: ${formats}`,
    param: { description: 'What is shown, and the file format.', example },
  });

const pathSize = imgParameters.shape.size.unwrap().meta({
  param: { description: 'Width and height in pixels.', example: 128 },
});

const pathSeed = z.string().meta({
  description: 'any text of 1 to 256 characters, percent-encoded (%2F for a slash)',
  param: { description: 'The seed where the walk begins.', example: 'alice' },
});

const generatorFile = z.string().meta({
  description: 'generator.json, or a file that it names',
  param: { description: 'Which file.', example: 'generator.json' },
});

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

const model = z
  .object({
    name: z.string().optional().meta({
      description: 'its name in model=; absent when it is kept for its pinned addresses',
    }),
    pin: z.string().meta({
      description: 'pictures at /v/<pin>/ are of this generator for ever',
    }),
    preset: z.string(),
    hash: z.string().meta({ description: 'SHA-256, hex; names the generator and all its weights' }),
    bytes: z.number().int(),
    latent: z.object({
      size: z.number().int(),
      distribution: z.enum(['uniform', 'uniform01', 'normal']).meta({
        description: 'uniform is in [-1, 1), uniform01 in [0, 1)',
      }),
      mean: z.number().optional().meta({ description: 'of normal latents, 0 when absent' }),
      deviation: z
        .number()
        .optional()
        .meta({ description: 'standard deviation of normal latents, 1 when absent' }),
      classes: z.array(z.number().int()).optional().meta({
        description: 'present when class-conditional: number of training images of each class',
      }),
    }),
    image: z.object({
      width: z.number().int(),
      height: z.number().int(),
      channels: z.number().int(),
    }),
    classes: z.array(z.string()).meta({ description: 'of the training images' }),
    directions: z.array(z.string()).meta({ description: 'the names that move= takes' }),
    training: z.record(z.string(), z.unknown()),
    licence: z.string().optional().meta({
      description: 'of the pictures: an SPDX identifier, an address, or words; absent if unknown',
    }),
    credit: z.string().optional().meta({ description: 'whom pictures have to name, if anyone' }),
    gallery: z
      .object({ pictures: z.number().int() })
      .optional()
      .meta({ description: 'present when /img serves pictures that were rendered beforehand' }),
    models: z.array(z.string()).meta({
      description: 'the names that model= takes, the default first',
    }),
    pinned: z
      .array(
        z.object({
          pin: z.string(),
          hash: z.string(),
          model: z.string().optional(),
          img: z.string().meta({ description: 'the pinned address of img, from the root' }),
        }),
      )
      .meta({ description: 'all generators of the server, earlier ones too' }),
  })
  .meta({ id: 'Model' });

const health = z.object({
  status: z.literal('ok'),
  pictures: z.object({
    rendered: z.number().int().meta({ description: 'since this isolate of the server started' }),
    pending: z.number().int().meta({ description: 'accepted and not rendered yet' }),
  }),
});

/** What many routes may answer, once each under `components`. */
const RESPONSES = {
  random: { id: 'RandomSeed', description: 'No seed was given: a redirect to a random seed.' },
  unchanged: {
    id: 'Unchanged',
    description: 'The client has this answer already (If-None-Match).',
  },
  wrong: problemResponse(
    'WrongParameter',
    'A parameter is invalid, repeated or unknown. errors names it and the reason.',
  ),
  missing: problemResponse(
    'NotHere',
    'There is no such file, or no generator of this pin: errors lists the pins that there are.',
  ),
  long: problemResponse('TooLong', 'The address is longer than 16 KiB.'),
  limited: problemResponse(
    'TooManyRequests',
    'The quota of this client is used up. See Retry-After.',
  ),
  busy: problemResponse(
    'Busy',
    'Too many pictures are being rendered, or a file of the server is missing or damaged. See Retry-After.',
  ),
  unusable: problemResponse(
    'Unusable',
    'A file of the server is missing or damaged. See Retry-After.',
  ),
};

function problemResponse(id: string, description: string): ZodOpenApiResponseObject {
  return { id, description, content: { 'application/problem+json': { schema: problem } } };
}

/** Where the routes of generators are: at the root, of the first generator or the one that model= names, and pinned. */
const PINNED_SERVERS = [
  { url: '.', description: 'Of the generators that the server has now. Cached for ten minutes.' },
  {
    url: 'v/{pin}',
    description:
      'Of one generator, for ever: model= is refused, answers are immutable, and another ' +
      'generator’s pin is 404.',
    variables: {
      pin: {
        default: '0123456789abcdef',
        description:
          '8 to 64 digits of the generator’s hash, and -<pictures> for its gallery. /model has it.',
      },
    },
  },
];

const png = { 'image/png': bytes };
const still = { ...png, 'image/webp': bytes };

/** What a path says, or excludes, is not in the query of the same route. */
const { seed: _seed, z: _z, format: _format, ...inQuery } = imgParameters.shape;
const {
  from: _from,
  zfrom: _zfrom,
  to: _to,
  zto: _zto,
  format: _walkFormat,
  ...walkInQuery
} = morphParameters.shape;

/** Every route, by path, but for the files of the page. */
const ROUTES: Record<string, RouteFacts> = {
  '/img': {
    tag: 'pictures',
    summary: 'The character of a seed',
    description:
      'One picture. The same seed gives the same character until the generator is replaced. ' +
      'Where /model has a gallery, a seed selects one of its pictures. z renders a given latent.',
    parameters: imgParameters,
    example: { query: 'seed=alice&size=128', width: 128, height: 128 },
    answer: { description: 'The picture.', content: still },
    redirects: true,
  },
  '/img/{file}': {
    tag: 'pictures',
    summary: 'The same, named like a file',
    description: 'For READMEs, forums and chats. The bytes and the ETag are those of /img.',
    parameters: z.strictObject(inQuery),
    path: z.strictObject({ file: pictureFile('a seed', 'png or webp', 'alice.png') }),
    answer: { description: 'The picture.', content: still },
  },
  '/img/{size}/{file}': {
    tag: 'pictures',
    summary: 'The same, of a size',
    description: 'As /img with size.',
    parameters: z.strictObject(inQuery).omit({ size: true }),
    path: z.strictObject({
      size: pathSize,
      file: pictureFile('a seed', 'png or webp', 'alice.png'),
    }),
    answer: { description: 'The picture.', content: still },
  },
  '/morph': {
    tag: 'pictures',
    summary: 'A walk from one character to another',
    description:
      'Pictures at even steps between the latents of two or more seeds, or between given latents. ' +
      'space=pixel interpolates pixels instead, for comparison.',
    parameters: morphParameters,
    example: { query: 'from=alice&to=bob&steps=7&size=128', width: 896, height: 128 },
    answer: {
      description: 'The walk: a strip from left to right, an animation, or JSON.',
      content: { ...png, 'image/apng': bytes, 'image/gif': bytes, 'application/json': walkSchema },
    },
  },
  '/morph/{from}/{file}': {
    tag: 'pictures',
    summary: 'The same, named like a file',
    description: 'As /morph between two seeds.',
    parameters: z.strictObject(walkInQuery),
    path: z.strictObject({
      from: pathSeed,
      file: pictureFile('the seed where it ends', 'png, apng, gif or json', 'bob.gif'),
    }),
    answer: {
      description: 'The walk: a strip from left to right, an animation, or JSON.',
      content: { ...png, 'image/apng': bytes, 'image/gif': bytes, 'application/json': walkSchema },
    },
  },
  '/grid': {
    tag: 'pictures',
    summary: 'A contact sheet',
    description:
      'n × n characters in rows, of the seeds <seed>/0, <seed>/1 and so on. /img renders each of them too.',
    parameters: gridParameters,
    example: { query: 'seed=alice&n=3&size=128', width: 384, height: 384 },
    answer: { description: 'The sheet.', content: png },
    redirects: true,
  },
  '/mix': {
    tag: 'pictures',
    summary: 'Latent arithmetic',
    description: 'The character of a sum of latents, clipped to [-1, 1]: alice + bob − carol.',
    parameters: mixParameters,
    example: { query: 'plus=alice,bob&minus=carol&size=128', width: 128, height: 128 },
    answer: { description: 'The picture.', content: still },
  },
  '/og': {
    tag: 'pictures',
    summary: 'A card for link previews',
    description:
      'The character of a seed, large, and nine similar ones: 1200 × 630 pixels, for og:image.',
    parameters: ogParameters,
    example: { query: 'seed=alice', width: 1200, height: 630 },
    answer: { description: 'The card.', content: still },
    redirects: true,
  },
  '/model': {
    tag: 'facts',
    summary: 'Facts of a generator',
    description: 'Training, latent space, classes, directions and image size.',
    parameters: modelParameters,
    answer: { description: 'The facts.', content: { 'application/json': model } },
    pinned: true,
  },
  '/healthz': {
    tag: 'facts',
    summary: 'Whether the server answers',
    description: 'Also the pictures rendered and pending. Loads no generator.',
    parameters: noParameters,
    answer: { description: 'It does.', content: { 'application/json': health } },
    alwaysNew: true,
  },
  '/robots.txt': {
    tag: 'facts',
    summary: 'What crawlers may fetch',
    description: 'Pages, single pictures and cards; pictures say noindex themselves.',
    parameters: noParameters,
    answer: { description: 'The rules.', content: { 'text/plain': text } },
  },
  '/openapi.json': {
    tag: 'facts',
    summary: 'This document',
    description: 'OpenAPI 3.1, of the whole server.',
    parameters: noParameters,
    answer: { description: 'The document.', content: { 'application/json': z.looseObject({}) } },
  },
  '/docs': {
    tag: 'facts',
    summary: 'This document, for people',
    description: 'The same facts as a page, with an example of each route.',
    parameters: noParameters,
    answer: { description: 'The page.', content: { 'text/html': text } },
  },
  '/g/{hash}/{file}': {
    tag: 'files',
    summary: 'Pictures of a gallery',
    description:
      'Where seeds stand for pictures that were rendered beforehand: the files themselves, for ever. ' +
      'On Cloudflare they cost no request of a Worker. @killme/client computes which one a seed has.',
    parameters: noParameters,
    path: z.strictObject({
      hash: z.string().meta({
        description: '16 digits of the generator’s hash',
        param: { description: 'Of which generator.', example: '0123456789abcdef' },
      }),
      file: z.string().meta({
        description: 'a number less than the pictures of the gallery, and .png',
        param: { description: 'Which picture.', example: '17.png' },
      }),
    }),
    answer: { description: 'The picture.', content: png },
  },
  '/generator/{file}': {
    tag: 'files',
    summary: 'Files of the generator',
    description:
      'generator.json names the files of weights, their sizes and their hashes. The page loads ' +
      'them to render in the browser.',
    parameters: modelParameters,
    path: z.strictObject({ file: generatorFile }),
    pinned: true,
    answer: {
      description: 'The file.',
      content: { 'application/json': z.looseObject({}), 'application/octet-stream': bytes },
    },
  },
};

/** The files of the page; programs have no use for most of them. */
function describePageFiles(): [string, RouteFacts][] {
  return Object.entries(PAGE_FILES).map(([path, { contentType, summary, parameters }]) => [
    path,
    {
      tag: 'files',
      summary,
      description: 'It may change with each deployment. Revalidate it with its ETag.',
      parameters,
      answer: {
        description: 'The file.',
        content: { [contentType]: contentType.startsWith('text/') ? text : bytes },
      },
    },
  ]);
}

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
        'Characters that a DCGAN renders. Any text is a seed: the same seed, options and generator ' +
        'give the same bytes. Addresses under /v/<pin>/ are of one generator for ever; others are ' +
        'cached for ten minutes. An ETag does not depend on how an address is written. Unknown parameters are refused, except by pages.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // Relative to the document: a proxy may serve it under any host and path.
    servers: [{ url: '.' }],
    tags: [
      { name: 'pictures', description: 'Pictures, rendered on request and stored.' },
      { name: 'facts', description: 'Facts of the server and its generators.' },
      { name: 'files', description: 'Files of the page and of the generators.' },
    ],
    paths: Object.fromEntries(
      [...Object.entries(ROUTES), ...describePageFiles()].map(([path, facts]) => [
        path,
        {
          ...(facts.pinned || facts.tag === 'pictures' ? { servers: PINNED_SERVERS } : {}),
          get: operation(path, facts),
        },
      ]),
    ),
  });

function operation(path: string, facts: RouteFacts) {
  const { tag, summary, description, parameters, example } = facts;
  return {
    operationId: idOf(path),
    tags: [tag],
    summary,
    description,
    requestParams: { query: parameters, ...(facts.path ? { path: facts.path } : {}) },
    responses: responsesOf(facts),
    ...(example === undefined ? {} : { 'x-example': exampleOf(path, example) }),
  };
}

/** `/generator/{file}` is `generatorFile`. */
const idOf = (path: string) =>
  path === '/'
    ? 'page'
    : path.slice(1).replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase());

function responsesOf({
  answer: { description, content },
  tag,
  path,
  pinned,
  redirects,
  alwaysNew,
}: RouteFacts): Record<`${number}`, ZodOpenApiResponseObject> {
  const renders = tag === 'pictures';
  return {
    '200': {
      description,
      content: mediaTypes(content),
      ...(renders ? { headers: { 'Killme-Source': sourceHeader, Link: linkHeader } } : {}),
    },
    ...(redirects ? { '302': RESPONSES.random } : {}),
    ...(alwaysNew ? {} : { '304': RESPONSES.unchanged }),
    '400': RESPONSES.wrong,
    ...(path || pinned || renders ? { '404': RESPONSES.missing } : {}),
    '414': RESPONSES.long,
    ...(renders ? { '429': RESPONSES.limited } : {}),
    ...(alwaysNew ? {} : { '503': renders ? RESPONSES.busy : RESPONSES.unusable }),
  };
}

const sourceHeader = {
  description: 'Source of the answer: rendered now, read from a store, or from a gallery.',
  schema: { type: 'string' as const, enum: ['rendered', 'memory', 'cache', 'r2', 'gallery'] },
};

const linkHeader = {
  description: 'rel="license": the licence of the picture, where it has an address.',
  schema: { type: 'string' as const },
};

/** Its address is relative to the document's, as `servers` is. */
const exampleOf = (path: string, { query, ...size }: NonNullable<RouteFacts['example']>) => ({
  address: `${path.slice(1)}?${query}`,
  ...size,
});

const mediaTypes = (content: Record<string, z.ZodType>) =>
  Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
