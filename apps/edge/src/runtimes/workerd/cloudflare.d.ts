/** The part of workerd's own modules that worker.ts uses. */
declare module 'cloudflare:workers' {
  export const env: {
    ASSETS: { fetch(url: string): Promise<Response> };
    /** There only when wrangler.jsonc has the binding. */
    RATE_LIMITER?: RateLimiter;
    /** There only when wrangler.jsonc has the binding. */
    PICTURES?: R2Bucket;
  };
  export interface RateLimiter {
    limit(options: { key: string }): Promise<{ success: boolean }>;
  }
  export interface R2Bucket {
    get(key: string): Promise<{ body: ReadableStream } | null>;
    put(
      key: string,
      value: Uint8Array,
      options: { httpMetadata: { contentType: string } },
    ): Promise<unknown>;
  }
  /** Keeps the work of a request going after its client has disconnected. */
  export function waitUntil(work: Promise<unknown>): void;
}

/** wrangler compiles a `.wasm` file when it bundles. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

/** workerd's own, beside the caches that have names. */
interface CacheStorage {
  readonly default: Cache;
}

/** workerd's own: a digest of what passes. */
interface Crypto {
  readonly DigestStream: new (
    algorithm: 'SHA-256',
  ) => WritableStream<Uint8Array> & { readonly digest: Promise<ArrayBuffer> };
}

/** Passes bytes on, without JavaScript between them. */
declare class IdentityTransformStream {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
}
