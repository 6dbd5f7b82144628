import { createFactory } from 'hono/factory';
import { entityTag, FRESH_ENOUGH, respond } from '../http/etag.ts';
import { anyQuery } from '../http/query.ts';

/**
 * What has no end, and costs a rendering each. Single pictures and cards may be fetched, for link previews
 * and pages of others; that they are not to be found by themselves, their `X-Robots-Tag` says.
 */
const DISALLOWED = ['grid', 'mix', 'morph', 'generator/'];

const ROBOTS = [
  'User-agent: *',
  ...DISALLOWED.flatMap((path) => [`Disallow: /${path}`, `Disallow: /v/*/${path}`]),
  '',
].join('\n');

/** `GET /robots.txt` */
export const robots = createFactory().createHandlers(anyQuery, async (c) =>
  respond({
    request: c.req.raw,
    tag: await entityTag(ROBOTS),
    cacheControl: FRESH_ENOUGH,
    contentType: 'text/plain; charset=utf-8',
    make: () => ROBOTS,
  }),
);
