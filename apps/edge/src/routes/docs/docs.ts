import { createFactory } from 'hono/factory';
import { entityTag, FRESH_ENOUGH, respond } from '../../http/etag.ts';
import { anyQuery } from '../../http/query.ts';
import { CONTENT_SECURITY_POLICY } from '../page.ts';
import { describeApi } from './openapi-document.ts';
import { DOCS_STYLE } from './style.ts';
import { writeDocs } from './write.ts';

let page: string | undefined;

/** `GET /docs`: the OpenAPI document for people; asks no other host for anything. */
export const docs = createFactory().createHandlers(anyQuery, async (c) => {
  page ??= String(await writeDocs(describeApi()));
  return answer(c.req.raw, page, 'text/html; charset=utf-8');
});

/** `GET /docs.css` */
export const docsStyle = createFactory().createHandlers(anyQuery, (c) =>
  answer(c.req.raw, DOCS_STYLE, 'text/css; charset=utf-8'),
);

async function answer(request: Request, text: string, contentType: string): Promise<Response> {
  return respond({
    request,
    tag: await entityTag(text),
    cacheControl: FRESH_ENOUGH,
    contentType,
    headers: {
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
    },
    make: () => text,
  });
}
