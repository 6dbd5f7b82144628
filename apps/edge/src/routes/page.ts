import type { Handler } from 'hono';
import { galleryFileOf } from '../client.ts';
import { pinOf } from '../generator/pin.ts';
import type { Models } from '../generator/registry.ts';
import { ASK_AGAIN, respond, tagOfBytes } from '../http/etag.ts';
import { modelParameters, noParameters } from '../http/parameters.ts';
import { publicUrl } from '../http/public-url.ts';
import { readParameters } from '../http/query.ts';
import { once } from '../once.ts';
import { type Size, withLongerSide } from '../render/size.ts';

/** The files of the first page by path; scripts/build-page.ts makes them. */
export const PAGE_FILES = {
  '/': {
    file: 'index.html',
    contentType: 'text/html',
    summary: 'The page',
    parameters: modelParameters,
  },
  '/page.css': {
    file: 'page.css',
    contentType: 'text/css',
    summary: 'Style of the page',
    parameters: noParameters,
  },
  '/page.js': script('page.js', 'Script of the page'),
  '/engine.js': script('engine.js', 'This server as a Web Worker, on wasm'),
  '/engine-webgpu.js': script('engine-webgpu.js', 'This server as a Web Worker, on WebGPU'),
  '/engine.wasm': wasm('engine.wasm', 'Kernels of tfjs for the worker on wasm'),
  '/kernels.wasm': wasm('kernels.wasm', 'Our own kernels for it'),
} as const;

function script<File extends string>(file: File, summary: string) {
  return { file, contentType: 'text/javascript', summary, parameters: noParameters } as const;
}

function wasm<File extends string>(file: File, summary: string) {
  return { file, contentType: 'application/wasm', summary, parameters: noParameters } as const;
}

/** Nothing but our own files, and no code or style inside the markup. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "connect-src 'self'",
  "img-src 'self' blob:", // pictures that the page has made itself
  "script-src 'self'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** A worker lives under the policy of its own file: only in there WebAssembly may be compiled. */
const ENGINE_POLICY = "default-src 'none'; connect-src 'self'; script-src 'wasm-unsafe-eval'";

/**
 * One file of the page.
 * @param options.readPage gives the bytes of a file of the page by name; called once.
 * @param options.models that it may be asked to show.
 */
export function page(
  { file, contentType, parameters }: (typeof PAGE_FILES)[keyof typeof PAGE_FILES],
  {
    readPage,
    models,
  }: { readPage: (name: string) => Promise<Uint8Array<ArrayBuffer>>; models: Models },
): Handler {
  const readFile = once(async () => {
    const bytes = await readPage(file);
    return { bytes, tag: await tagOfBytes(bytes) };
  });
  const write = async (request: Request) => {
    const given = readParameters(parameters, request.url, { ignoreUnknown: true });
    const written = await readFile();
    if (parameters === noParameters) return written;
    const { model } = given as { model?: string };
    const { describe, loadGallery } = await models.find({ model });
    const [{ manifest, hash }, gallery] = await Promise.all([describe(), loadGallery()]);
    const pin = pinOf({ hash, gallery });
    const { image } = manifest;
    const bytes = writePage(written.bytes, { pin, image, url: publicUrl(request) });
    return { bytes, tag: await tagOfBytes(bytes) };
  };
  return async (c) => {
    const { bytes, tag } = await write(c.req.raw);
    const response = await respond({
      request: c.req.raw,
      tag,
      cacheControl: ASK_AGAIN,
      contentType: contentType.startsWith('text/') ? `${contentType}; charset=utf-8` : contentType,
      make: () => bytes,
    });
    const policy = file.startsWith('engine') ? ENGINE_POLICY : CONTENT_SECURITY_POLICY;
    response.headers.set('Content-Security-Policy', policy);
    response.headers.set('Referrer-Policy', 'no-referrer');
    return response;
  };
}

/** The longer side of a picture on the page, in CSS pixels. */
const SHOWN_SIDE = 128;

/** Addresses of the markup that are a generator's, up to where its pin goes. */
const OF_GENERATOR = / (?:src|href|action|content)="\/?(?=(?:img|morph|mix|og|model)["?])/g;

/** Of a picture with no options, whose seed needs no escapes. */
const PLAIN_PICTURE = /( (?:src|href)="\/?)img\?seed=(\w+)"/g;

/**
 * The page with the pictures of one generator in its markup: they are there before its script is, and
 * none is asked for in vain. Pinned, as the script writes them, so that each has one address.
 * @param options.url of the page: readers of link previews want whole addresses
 */
function writePage(
  html: Uint8Array,
  { pin, image, url }: { pin: string; image: Size; url: URL },
): Uint8Array<ArrayBuffer> {
  const { width, height } = withLongerSide(image, SHOWN_SIDE);
  const text = new TextDecoder()
    .decode(html)
    .replaceAll(
      `width="${SHOWN_SIDE}" height="${SHOWN_SIDE}"`,
      `width="${width}" height="${height}"`,
    )
    .replace('<meta name="pinned" content="./">', `<meta name="pinned" content="v/${pin}/">`)
    .replaceAll(PLAIN_PICTURE, (tag, start, seed) => {
      const file = galleryFileOf(seed, pin);
      return file === undefined ? tag : `${start}${file}"`;
    })
    .replaceAll(OF_GENERATOR, `$&v/${pin}/`)
    .replace(/(<meta property="og:image" content=")([^"]*)/, (_, start, address) => {
      return `${start}${escapeAttribute(new URL(address, url).href)}`;
    });
  return new TextEncoder().encode(text);
}

const escapeAttribute = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
