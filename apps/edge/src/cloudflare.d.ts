/** The part of workerd's own modules that worker.ts uses. */
declare module 'cloudflare:workers' {
  export const env: {
    ASSETS: { fetch(url: string): Promise<Response> };
    /** There only when wrangler.jsonc has the binding. */
    RATE_LIMITER?: RateLimiter;
  };
  export interface RateLimiter {
    limit(options: { key: string }): Promise<{ success: boolean }>;
  }
  /** Keeps the work of a request going after its client has left. */
  export function waitUntil(work: Promise<unknown>): void;
}

/** wrangler compiles a `.wasm` file when it bundles. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
