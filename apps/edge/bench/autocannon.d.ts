/** The part of autocannon that load.ts uses. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  interface Request {
    method: 'GET';
    path: string;
    headers?: Record<string, string>;
  }

  interface Options {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    /** Requests a second, of all connections together. */
    overallRate?: number;
    requests: { setupRequest(request: Request): Request }[];
  }

  interface Result {
    errors: number;
    timeouts: number;
    /** Seconds. */
    duration: number;
  }

  interface Run extends EventEmitter, PromiseLike<Result> {
    on(
      event: 'response',
      listener: (client: unknown, status: number, bytes: number, durationMs: number) => void,
    ): this;
  }

  export default function autocannon(options: Options): Run;
}
