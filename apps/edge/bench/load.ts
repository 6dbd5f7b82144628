/**
 * Load on a server over HTTP, by autocannon.
 *
 * @module
 */
import autocannon from 'autocannon';

/** A request: its path, and its headers. */
export interface Asked {
  path: string;
  headers?: Record<string, string>;
}

export interface LoadOptions {
  origin: string;
  connections: number;
  seconds: number;
  /** Requests a second of all connections together; as fast as the answers come when omitted. */
  rate?: number | undefined;
  ask: () => Asked;
}

/** What became of the requests. */
export interface Loaded {
  /** Of requests that were answered with 200 or 304, in milliseconds, sorted. */
  durationsMs: number[];
  /** 503: with Retry-After. */
  refused: number;
  /** Any other answer, and connections that failed or took ten seconds. */
  errors: number;
  seconds: number;
}

export async function load({
  origin,
  connections,
  seconds,
  rate,
  ask,
}: LoadOptions): Promise<Loaded> {
  const durationsMs: number[] = [];
  let [refused, errors] = [0, 0];
  const run = autocannon({
    url: origin,
    connections,
    duration: seconds,
    ...(rate === undefined ? {} : { overallRate: rate }),
    requests: [{ setupRequest: (request) => ({ ...request, ...ask() }) }],
  });
  run.on('response', (_client, status, _bytes, durationMs) => {
    if (status === 200 || status === 304) durationsMs.push(durationMs);
    else if (status === 503) refused++;
    else errors++;
  });
  const result = await run;
  return {
    durationsMs: durationsMs.toSorted((a, b) => a - b),
    refused,
    errors: errors + result.errors, // those that timed out are among them
    seconds: result.duration,
  };
}

/** Of sorted values, the one that a `fraction` of them do not exceed; nothing of none. */
export const percentile = (sorted: readonly number[], fraction: number): number | undefined =>
  sorted[Math.min(sorted.length - 1, Math.ceil(fraction * sorted.length) - 1)];
