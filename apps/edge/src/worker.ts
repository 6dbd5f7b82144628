/**
 * The entry for workerd (Cloudflare Workers). The generator and the page are static assets, put
 * together by scripts/assemble.ts.
 *
 * @module
 */
import { env, type RateLimiter, waitUntil } from 'cloudflare:workers';
import webpBinary from '@jsquash/webp/codec/enc/webp_enc.wasm';
import { UserError } from '@killme/model';
import binary from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
import { createApp } from './app.ts';
import { openGenerator } from './generator.ts';

const app = createApp({
  loadGenerator() {
    const loading = openGenerator({
      readFile: (name) => readAsset(`generator/${name}`),
      loadBinary: () => binary,
    });
    // Others wait for this load too: it must not end when the client that began it goes away.
    waitUntil(loading.catch(() => undefined));
    return loading;
  },
  readGenerator: (name) => readAsset(`generator/${name}`),
  readPage: (name) => readAsset(`page/${name}`),
  loadWebpBinary: () => webpBinary,
  allowRequest: env.RATE_LIMITER && withinLimit(env.RATE_LIMITER),
});

export default { fetch: (request: Request) => app.fetch(request) };

/** Each address its own share, as the binding in wrangler.jsonc says. */
function withinLimit(limiter: RateLimiter) {
  return async (request: Request): Promise<boolean> => {
    const key = request.headers.get('CF-Connecting-IP') ?? 'unknown';
    return (await limiter.limit({ key })).success;
  };
}

async function readAsset(path: string): Promise<Uint8Array<ArrayBuffer>> {
  // The binding takes whole URLs and looks only at the path.
  const response = await env.ASSETS.fetch(`https://assets.invalid/${path}`);
  if (!response.ok) throw new UserError(`${path} is not among the deployed assets`);
  return new Uint8Array(await response.arrayBuffer());
}
