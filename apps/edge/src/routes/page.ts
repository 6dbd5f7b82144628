import type { Handler } from 'hono';
import { ASK_AGAIN, entityTag, respond } from '../caching.ts';
import { noParameters, readParameters } from '../parameters.ts';

/** The files of the first page by path; scripts/build-page.ts makes them. */
export const PAGE_FILES = {
  '/': { file: 'index.html', contentType: 'text/html', summary: 'The page' },
  '/page.css': { file: 'page.css', contentType: 'text/css', summary: 'Style of the page' },
  '/page.js': script('page.js', 'Script of the page'),
  '/engine.js': script('engine.js', 'This server as a Web Worker, on wasm'),
  '/engine-webgpu.js': script('engine-webgpu.js', 'This server as a Web Worker, on WebGPU'),
  '/engine.wasm': wasm('engine.wasm', 'Kernels of tfjs for the worker on wasm'),
  '/kernels.wasm': wasm('kernels.wasm', 'Our own kernels for it'),
} as const;

function script<File extends string>(file: File, summary: string) {
  return { file, contentType: 'text/javascript', summary } as const;
}

function wasm<File extends string>(file: File, summary: string) {
  return { file, contentType: 'application/wasm', summary } as const;
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
 * @param readPage gives the bytes of a file of the page by name.
 */
export function page(
  { file, contentType }: (typeof PAGE_FILES)[keyof typeof PAGE_FILES],
  readPage: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Handler {
  return async (c) => {
    readParameters(noParameters, c.req.url);
    const bytes = await readPage(file);
    const response = await respond({
      request: c.req.raw,
      tag: await entityTag(new TextDecoder().decode(bytes)),
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
