import { UserError } from '@killme/model';
import { type Handler, Hono } from 'hono';
import { openHeaders } from './caching.ts';
import { type Generator, once } from './generator.ts';
import { ProblemError, problemResponse, shorten } from './problem.ts';
import { healthz } from './routes/healthz.ts';
import { img } from './routes/img.ts';
import { model } from './routes/model.ts';
import { morph } from './routes/morph.ts';
import { PAGE_FILES, page } from './routes/page.ts';

/** What a runtime gives to the app. */
export interface AppOptions {
  /** Called at the first request that needs it, and again only after it failed. */
  loadGenerator: () => Promise<Generator>;
  /** Gives the bytes of a file of src/page/ by name. */
  readPage: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
}

const METHODS = 'GET, HEAD, OPTIONS';

/**
 * The image server, the same in every runtime.
 * @example createApp({ loadGenerator, readPage }).request('/img?seed=alice')
 */
export function createApp({ loadGenerator, readPage }: AppOptions): Hono {
  const load = once(loadGenerator);
  const routes: Record<string, Handler> = {
    '/img': img(load),
    '/morph': morph(load),
    '/model': model(load),
    '/healthz': healthz,
  };
  for (const [path, file] of Object.entries(PAGE_FILES)) routes[path] = page(file, readPage);

  const app = new Hono();
  app.use(openHeaders);
  for (const [path, handler] of Object.entries(routes)) {
    app.get(path, handler); // Hono answers HEAD with it too, without the body
    app.options(path, preflight);
    app.all(path, refuseMethod);
  }
  app.notFound((c) =>
    problemResponse(new ProblemError(404, `There is nothing at ${shorten(c.req.path)}.`)),
  );
  app.onError((error) => problemResponse(toProblem(error)));
  return app;
}

/** A page of another origin may ask first whether it may send `If-None-Match`. */
const preflight: Handler = (c) =>
  c.body(null, 204, {
    Allow: METHODS,
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': 'If-None-Match',
    'Access-Control-Max-Age': '86400',
  });

const refuseMethod: Handler = (c) => {
  throw new ProblemError(405, `${shorten(c.req.method)} is not possible here, only ${METHODS}.`, {
    headers: { Allow: METHODS },
  });
};

function toProblem(error: Error): ProblemError {
  if (error instanceof ProblemError) return error;
  console.error(error);
  if (error instanceof UserError) {
    return new ProblemError(503, `The generator cannot be used: ${error.message}.`, {
      headers: { 'Retry-After': '30' },
    });
  }
  return new ProblemError(500, 'The server failed; its log says more.');
}
