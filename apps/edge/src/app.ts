import { UserError } from '@killme/model';
import { type Handler, Hono, type MiddlewareHandler } from 'hono';
import { createModels, type GeneratorSource, type Models } from './generator/registry.ts';
import { openHeaders } from './http/etag.ts';
import { ProblemError, problemResponse, shorten } from './http/problem.ts';
import type { WithinQuota } from './http/quota.ts';
import { webpEncoder } from './images/webp.ts';
import { createImageResponder, type ImageResponder } from './render/image-responder.ts';
import type { ImageStore } from './render/image-store.ts';
import type { RenderElsewhere } from './render/render-elsewhere.ts';
import { docs, docsStyle } from './routes/docs/docs.ts';
import { openapi } from './routes/docs/openapi.ts';
import { galleryPictureFile } from './routes/gallery-file.ts';
import { generatorFile } from './routes/generator-file.ts';
import { grid } from './routes/grid.ts';
import { healthz } from './routes/healthz.ts';
import { img } from './routes/img.ts';
import { mix } from './routes/mix.ts';
import { model } from './routes/model.ts';
import { morph } from './routes/morph.ts';
import { og } from './routes/og.ts';
import { PAGE_FILES, page } from './routes/page.ts';
import { robots } from './routes/robots.ts';

/** What a runtime gives to the app. Optional members are what not every runtime has. */
export interface AppOptions {
  /** Lists the generators. The first one is the default. */
  listGenerators: () => Promise<readonly GeneratorSource[]>;
  /** Gives the bytes of a file of the page by name. */
  readPage: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Gives libwebp's wasm binary, compiled (see images/webp.ts). */
  loadWebpBinary: () => WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Says whether a request to render is within the quota of its sender; every request is when omitted. */
  withinQuota?: WithinQuota | undefined;
  /**
   * Says whether no generator is ever replaced: then every picture is kept for a year, whether its
   * address is pinned or not.
   */
  isImmutable?: (() => Promise<boolean>) | undefined;
  /** Stores of rendered pictures, the fastest first. */
  stores?: readonly ImageStore[] | undefined;
  /** Keeps the runtime awake for work that no client waits for; needed where it would sleep. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined;
  /** Another thread that renders; this one does when it is omitted. */
  renderElsewhere?: RenderElsewhere | undefined;
  /** Called after each picture that this thread has rendered. */
  onRendered?: (() => void) | undefined;
  /** Lets the runtime see what has come in, between two turns of rendering; by a timer when omitted. */
  seeInput?: (() => Promise<void>) | undefined;
}

const METHODS = 'GET, HEAD, OPTIONS';

/** The routes of generators, pinned or not. */
const createApi = (responder: ImageResponder, models: Models) =>
  new Hono()
    .get('/img', ...img(responder))
    .get('/img/:file', ...img(responder, ['seed.format']))
    .get('/img/:size/:file', ...img(responder, ['size', 'seed.format']))
    .get('/morph', ...morph(responder))
    .get('/morph/:from/:file', ...morph(responder, ['from', 'to.format']))
    .get('/grid', ...grid(responder))
    .get('/mix', ...mix(responder))
    .get('/og', ...og(responder))
    .get('/model', ...model(models));

/**
 * The image server, the same in every runtime.
 * @example createApp({ listGenerators, readPage, loadWebpBinary }).request('/img?seed=alice')
 */
export function createApp(options: AppOptions): Hono {
  const models = createModels(options.listGenerators);
  const withinQuota = options.withinQuota ?? (async () => true);
  const responder = createImageResponder({
    models,
    encodeWebp: webpEncoder(options.loadWebpBinary),
    withinQuota,
    stores: options.stores ?? [],
    isImmutable: options.isImmutable ?? (async () => false),
    waitUntil: options.waitUntil ?? ((work) => work),
    renderElsewhere: options.renderElsewhere,
    onRendered: options.onRendered,
    seeInput: options.seeInput,
  });
  const app = new Hono();
  app.use(openHeaders, refuseHost);
  const api = createApi(responder, models).get(
    '/generator/:file',
    generatorFile(models, withinQuota),
  );
  // Hono answers HEAD as GET, without the body
  app
    .route('/', api)
    .route('/v/:pin', api)
    .get('/g/:hash/:file', ...galleryPictureFile(models))
    .get('/healthz', ...healthz(responder))
    .get('/robots.txt', ...robots)
    .get('/openapi.json', ...openapi)
    .get('/docs', ...docs)
    .get('/docs.css', ...docsStyle);
  for (const [path, file] of Object.entries(PAGE_FILES)) {
    app.get(path, page(file, { readPage: options.readPage, models }));
  }
  for (const path of new Set(app.routes.filter(isGet).map((route) => route.path))) {
    app.options(path, preflight);
    app.all(path, refuseMethod);
  }
  app.notFound((c) =>
    problemResponse(new ProblemError(404, `There is nothing at ${shorten(c.req.path)}.`)),
  );
  app.onError((error, c) =>
    c.req.raw.signal.aborted ? clientDisconnected() : problemResponse(toProblem(error)),
  );
  return app;
}

const isGet = ({ method }: { method: string }) => method === 'GET';

/** What is no host name makes an address that cannot be read. */
const refuseHost: MiddlewareHandler = async (c, next) => {
  if (!URL.canParse(c.req.url)) {
    throw new ProblemError(
      400,
      `The Host header is not a host: ${shorten(c.req.header('Host') ?? '')}`,
    );
  }
  await next();
};

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

/** The client disconnected; nginx's logs call it 499. */
const clientDisconnected = () => new Response(null, { status: 499 });

function toProblem(error: Error): ProblemError {
  if (error instanceof ProblemError) return error;
  console.error(error);
  if (error instanceof UserError) {
    return new ProblemError(
      503,
      `A file of the server is missing or damaged: ${error.publicMessage}.`,
      {
        headers: { 'Retry-After': '30' },
      },
    );
  }
  return new ProblemError(500, 'The server failed. Its log has the reason.');
}
