import { createFactory } from 'hono/factory';
import { entityTag, FRESH_ENOUGH, respond } from '../../http/etag.ts';
import { noQuery } from '../../http/query.ts';
import { describeApi } from './openapi-document.ts';

let text: string | undefined;

/** `GET /openapi.json`: the description of the routes for programs. */
export const openapi = createFactory().createHandlers(noQuery, async (c) => {
  text ??= `${JSON.stringify(describeApi(), null, 2)}\n`;
  return respond({
    request: c.req.raw,
    tag: await entityTag(text),
    cacheControl: FRESH_ENOUGH,
    contentType: 'application/json',
    make: () => text!,
  });
});
