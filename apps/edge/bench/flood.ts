/**
 * More new seeds than a server can render, from a thread of its own: what it takes must not count as
 * the server's time where answers are measured.
 *
 * @module
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Loaded, load } from './load.ts';

/** What the flood is. */
export interface FloodOptions {
  origin: string;
  connections: number;
  seconds: number;
  /** Requests a second, of all connections together. */
  rate: number;
}

/** What became of it; counts only. */
export type Flooded = Pick<Loaded, 'refused' | 'errors' | 'seconds'> & { answered: number };

/** Floods a server. */
export async function flood(options: FloodOptions): Promise<Flooded> {
  const thread = new Worker(new URL(import.meta.url), { workerData: options });
  const [flooded] = (await once(thread, 'message')) as [Flooded];
  return flooded;
}

if (!isMainThread) {
  const options = workerData as FloodOptions;
  let number = 0;
  // Never one of a flood before.
  const name = `flood-${Date.now()}`;
  const ask = () => ({ path: `/img?seed=${name}-${number++}` });
  const { durationsMs, ...counts } = await load({ ...options, ask });
  parentPort!.postMessage({ ...counts, answered: durationsMs.length } satisfies Flooded);
}
