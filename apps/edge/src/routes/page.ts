import type { Handler } from 'hono';
import { ASK_AGAIN, entityTag, respond } from '../caching.ts';
import { noParameters, readParameters } from '../parameters.ts';

/** The files of the first page by path; they lie in src/page/, the engine in dist/engine/. */
export const PAGE_FILES = {
  '/': { file: 'index.html', contentType: 'text/html; charset=utf-8' },
  '/page.css': { file: 'page.css', contentType: 'text/css; charset=utf-8' },
  '/page.js': script('page.js'),
  '/elements.js': script('elements.js'),
  '/facts.js': script('facts.js'),
  '/name.js': script('name.js'),
  '/names.js': script('names.js'),
  '/pad.js': script('pad.js'),
  '/sums.js': script('sums.js'),
  '/view.js': script('view.js'),
  '/walk.js': script('walk.js'),
  '/wall.js': script('wall.js'),
  '/engine.js': script('engine.js'),
  '/engine.wasm': { file: 'engine.wasm', contentType: 'application/wasm' },
} as const;

function script<File extends string>(file: File) {
  return { file, contentType: 'text/javascript; charset=utf-8' } as const;
}

/** Nothing but our own files, and no code or style inside the markup. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "connect-src 'self'",
  "img-src 'self'",
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
 * @param readPage gives the bytes of a file of src/page/ by name.
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
      contentType,
      make: () => bytes,
    });
    const policy = file === 'engine.js' ? ENGINE_POLICY : CONTENT_SECURITY_POLICY;
    response.headers.set('Content-Security-Policy', policy);
    response.headers.set('Referrer-Policy', 'no-referrer');
    return response;
  };
}
