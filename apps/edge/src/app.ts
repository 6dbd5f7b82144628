import { UserError } from '@killme/model';
import { type Handler, Hono, type MiddlewareHandler } from 'hono';
import { openHeaders } from './caching.ts';
import { type EncodeStill, stillEncoder } from './encode-still.ts';
import { type Generator, once } from './generator.ts';
import { ProblemError, problemResponse, shorten } from './problem.ts';
import { docs, docsStyle } from './routes/docs.ts';
import { generatorFile } from './routes/generator-file.ts';
import { grid } from './routes/grid.ts';
import { healthz } from './routes/healthz.ts';
import { img } from './routes/img.ts';
import { mix } from './routes/mix.ts';
import { model } from './routes/model.ts';
import { morph } from './routes/morph.ts';
import { og } from './routes/og.ts';
import { openapi } from './routes/openapi.ts';
import { PAGE_FILES, page } from './routes/page.ts';

/** What a runtime gives to the app. */
export interface AppOptions {
  /** Called at the first request that needs it, and again only after it failed. */
  loadGenerator: () => Promise<Generator>;
  /** Gives the bytes of a file of src/page/ by name. */
  readPage: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Gives libwebp's wasm binary, compiled (see encode-webp.ts). */
  loadWebpBinary: () => WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Gives the bytes of a file of the generator by name; the page can draw by itself then. */
  readGenerator?: ((name: string) => Promise<Uint8Array<ArrayBuffer>>) | undefined;
  /** Says whether a request to draw is within the sender's share; all are when left out. */
  allowRequest?: ((request: Request) => Promise<boolean>) | undefined;
}

const METHODS = 'GET, HEAD, OPTIONS';

/** Where drawing is asked for, which is what costs something. */
const DRAWING = ['/img', '/morph', '/grid', '/mix', '/og'];

/** The routes that programs use; their types are those of the typed client (client.ts). */
export type Api = ReturnType<typeof createApi>;

const createApi = (loadGenerator: () => Promise<Generator>, encodeStill: EncodeStill) =>
  new Hono()
    .get('/img', ...img(loadGenerator, encodeStill))
    .get('/morph', ...morph(loadGenerator))
    .get('/grid', ...grid(loadGenerator))
    .get('/mix', ...mix(loadGenerator, encodeStill))
    .get('/og', ...og(loadGenerator, encodeStill))
    .get('/model', ...model(loadGenerator))
    .get('/healthz', ...healthz);

/**
 * The image server, the same in every runtime.
 * @example createApp({ loadGenerator, readPage, loadWebpBinary }).request('/img?seed=alice')
 */
export function createApp({
  loadGenerator,
  readPage,
  readGenerator,
  loadWebpBinary,
  allowRequest,
}: AppOptions): Hono {
  const app = new Hono();
  app.use(openHeaders);
  if (allowRequest) for (const path of DRAWING) app.use(path, limitRate(allowRequest));
  const load = once(loadGenerator);
  const api = createApi(load, stillEncoder(loadWebpBinary));
  app.route('/', api); // Hono answers HEAD as GET, without the body
  app
    .get('/openapi.json', ...openapi)
    .get('/docs', ...docs)
    .get('/docs.css', ...docsStyle);
  if (readGenerator) app.get('/generator/:file', generatorFile(load, readGenerator));
  for (const [path, file] of Object.entries(PAGE_FILES)) app.get(path, page(file, readPage));
  for (const path of new Set(app.routes.filter(isGet).map((route) => route.path))) {
    app.options(path, preflight);
    app.all(path, refuseMethod);
  }
  app.notFound((c) =>
    problemResponse(new ProblemError(404, `There is nothing at ${shorten(c.req.path)}.`)),
  );
  app.onError((error) => problemResponse(toProblem(error)));
  return app;
}

const isGet = ({ method }: { method: string }) => method === 'GET';

/** Stops who asks for more than the runtime allows. */
function limitRate(allowRequest: NonNullable<AppOptions['allowRequest']>): MiddlewareHandler {
  return async (c, next) => {
    if (!(await allowRequest(c.req.raw))) {
      throw new ProblemError(429, 'Too many drawings in a minute; wait a little.', {
        headers: { 'Retry-After': '60' },
      });
    }
    await next();
  };
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
