import { type GeneratorDescription, UserError } from '@killme/model';
import { type Handler, Hono } from 'hono';
import { openHeaders } from './caching.ts';
import { createDrawing, type Drawing } from './drawing.ts';
import { stillEncoder } from './encode-still.ts';
import type { Gallery } from './gallery.ts';
import { type AnyGenerator, once } from './generator.ts';
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
import type { Tier } from './tiers.ts';

/** What a runtime gives to the app. What may be left out is what not every runtime has. */
export interface AppOptions {
  /** Called at the first request that must be drawn, and again only after it failed. */
  loadGenerator: () => Promise<AnyGenerator>;
  /** Describes the generator without loading it; that of the loaded one is used when left out. */
  describeGenerator?: (() => Promise<GeneratorDescription>) | undefined;
  /** Gives the bytes of a file of the page by name. */
  readPage: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Gives libwebp's wasm binary, compiled (see encode-webp.ts). */
  loadWebpBinary: () => WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Gives the bytes of a file of the generator by name; the page can draw by itself then. */
  readGenerator?: ((name: string) => Promise<Uint8Array<ArrayBuffer>>) | undefined;
  /** Opens the gallery of the generator; `/img` answers from it if there is one. */
  openGallery?: ((generator: GeneratorDescription) => Promise<Gallery | undefined>) | undefined;
  /** Says whether a request to draw is within the sender's share; all are when left out. */
  allowRequest?: ((request: Request) => Promise<boolean>) | undefined;
  /** Where drawn pictures are kept, the fastest first. */
  tiers?: readonly Tier[] | undefined;
  /** Keeps the runtime awake for work that no client waits for; needed where it would sleep. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

const METHODS = 'GET, HEAD, OPTIONS';

/** The routes that programs use; their types are those of the typed client (client.ts). */
export type Api = ReturnType<typeof createApi>;

const createApi = (
  drawing: Drawing,
  describeGenerator: () => Promise<GeneratorDescription>,
  loadGallery: () => Promise<Gallery | undefined>,
) =>
  new Hono()
    .get('/img', ...img(drawing, loadGallery))
    .get('/morph', ...morph(drawing))
    .get('/grid', ...grid(drawing))
    .get('/mix', ...mix(drawing))
    .get('/og', ...og(drawing))
    .get('/model', ...model(describeGenerator, loadGallery))
    .get('/healthz', ...healthz(drawing));

/**
 * The image server, the same in every runtime.
 * @example createApp({ loadGenerator, readPage, loadWebpBinary }).request('/img?seed=alice')
 */
export function createApp(options: AppOptions): Hono {
  const { readPage, readGenerator } = options;
  const loadGenerator = once(options.loadGenerator);
  const describeGenerator = once(options.describeGenerator ?? loadGenerator);
  const loadGallery = once(async () => options.openGallery?.(await describeGenerator()));
  const drawing = createDrawing({
    describeGenerator,
    loadGenerator,
    loadGallery,
    encodeStill: stillEncoder(options.loadWebpBinary),
    allowRequest: options.allowRequest ?? (async () => true),
    tiers: options.tiers ?? [],
    waitUntil: options.waitUntil ?? ((work) => work),
  });
  const app = new Hono();
  app.use(openHeaders);
  // Hono answers HEAD as GET, without the body
  app.route('/', createApi(drawing, describeGenerator, loadGallery));
  app
    .get('/openapi.json', ...openapi)
    .get('/docs', ...docs)
    .get('/docs.css', ...docsStyle);
  if (readGenerator) {
    app.get('/generator/:file', generatorFile(describeGenerator, readGenerator));
  }
  for (const [path, file] of Object.entries(PAGE_FILES)) app.get(path, page(file, readPage));
  for (const path of new Set(app.routes.filter(isGet).map((route) => route.path))) {
    app.options(path, preflight);
    app.all(path, refuseMethod);
  }
  app.notFound((c) =>
    problemResponse(new ProblemError(404, `There is nothing at ${shorten(c.req.path)}.`)),
  );
  app.onError((error, c) =>
    c.req.raw.signal.aborted ? nobodyReads() : problemResponse(toProblem(error)),
  );
  return app;
}

const isGet = ({ method }: { method: string }) => method === 'GET';

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

/** The client has gone; nginx's logs call it 499. */
const nobodyReads = () => new Response(null, { status: 499 });

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
