/**
 * The thread of a server's process that renders, resamples and encodes, so that answers which need
 * none of that never wait for it. It has the whole app, and is asked by path.
 *
 * @module
 */
import { setPriority } from 'node:os';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '@killme/model';
import { z } from 'zod';
import { createApp } from '../../app.ts';
import { diskOptions, loadAll } from '../disk.ts';
import type {
  RenderAnswer,
  RenderRequest,
  RenderStart,
  RenderThreadData,
} from './render-messages.ts';

/** The operating system prefers the threads that answer: they need little, and at once. */
const NICENESS = 10;

/** What of an `application/problem+json` the process needs. */
const problem = z.object({ detail: z.string() });

const port = parentPort!;

async function main(): Promise<void> {
  // Linux sets the priority of the calling thread alone, others that of the whole process.
  if (process.platform === 'linux') setPriority(0, NICENESS);
  const { generators, hashes, rendered } = workerData as RenderThreadData;
  const counter = new Int32Array(rendered);
  const options = diskOptions(generators);
  const loaded = await loadAll(options.listGenerators);
  checkSame(loaded, hashes);
  const app = createApp({
    ...options,
    listGenerators: async () => loaded,
    onRendered: () => Atomics.add(counter, 0, 1),
    // Runs when input was polled for; a timer would wait a millisecond for each picture.
    seeInput: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const clients = new Map<number, AbortController>();
  port.on('message', async (request: RenderRequest) => {
    if ('abandon' in request) return clients.get(request.abandon)?.abort();
    const client = new AbortController();
    clients.set(request.id, client);
    try {
      const answer = await app.request(request.path, { signal: client.signal });
      if (client.signal.aborted) {
        port.postMessage({ id: request.id, abandoned: true } satisfies RenderAnswer);
      } else {
        await post(request.id, answer);
      }
    } finally {
      clients.delete(request.id);
    }
  });
  const ready = loaded.map(({ name, generator: { manifest, hash, renderMs } }) => ({
    name,
    manifest,
    hash,
    renderMs,
  }));
  port.postMessage({ ready } satisfies RenderStart);
}

/** @throws UserError when a folder has another generator than when the server was started. */
function checkSame(
  loaded: Awaited<ReturnType<typeof loadAll>>,
  hashes: RenderThreadData['hashes'],
): void {
  const changed = loaded.find(({ generator }, i) => hashes && generator.hash !== hashes[i]);
  if (!changed) return;
  throw new UserError(
    `the generator ${changed.name} has changed since the server was started: start it again`,
  );
}

async function post(id: number, answer: Response): Promise<void> {
  if (answer.ok) {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    port.postMessage({ id, bytes } satisfies RenderAnswer, [bytes.buffer]);
    return;
  }
  const { detail } = problem.parse(await answer.json());
  const retryAfter = answer.headers.get('Retry-After') ?? undefined;
  port.postMessage({ id, status: answer.status, detail, retryAfter } satisfies RenderAnswer);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  port.postMessage({ refusal: error.message } satisfies RenderStart);
}
