/**
 * A server's process asks its rendering thread here. A thread that dies is started again; what it had
 * accepted is answered with 503.
 *
 * @module
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { UserError } from '@killme/model';
import type { AnyGenerator } from '../../generator/generator.ts';
import { ProblemError } from '../../http/problem.ts';
import type { RenderElsewhere } from '../../render/render-elsewhere.ts';
import { abandoned } from '../../render/single-flight.ts';
import type {
  LoadedGenerator,
  RenderAnswer,
  RenderProblem,
  RenderRequest,
  RenderStart,
  RenderThreadData,
} from './render-messages.ts';
import { sibling } from './sibling.ts';

/** A request that waits for the thread. */
interface Waiting {
  resolve(bytes: Uint8Array<ArrayBuffer>): void;
  reject(reason: unknown): void;
}

export interface RenderWorker extends RenderElsewhere {
  /** As the thread has loaded them. */
  generators: readonly LoadedGenerator[];
}

/** Before a thread that has died is started again. */
const RESTART_MS = 1000;

/**
 * Starts the thread, and waits until it has rendered one picture of each generator.
 * @throws UserError saying in one line why it cannot render.
 */
export async function startRenderWorker(
  served: Omit<RenderThreadData, 'rendered'>,
): Promise<RenderWorker> {
  const data: RenderThreadData = { ...served, rendered: new SharedArrayBuffer(4) };
  const counter = new Int32Array(data.rendered);
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let thread: Worker | undefined;

  async function start(): Promise<readonly LoadedGenerator[]> {
    const worker = new Worker(sibling('render-thread'), { workerData: data });
    const [first] = (await once(worker, 'message')) as [RenderStart];
    if ('refusal' in first) throw new UserError(first.refusal);
    worker.on('message', settle);
    worker.on('error', (error) => console.error(error));
    worker.once('exit', () => {
      console.error('the rendering thread has ended: another one is started');
      thread = undefined;
      for (const { reject } of waiting.values()) reject(lost());
      waiting.clear();
      restart();
    });
    thread = worker;
    return first.ready;
  }

  function restart(): void {
    setTimeout(() => {
      start().catch((error: unknown) => {
        console.error(error instanceof UserError ? error.message : error);
        restart();
      });
    }, RESTART_MS);
  }

  function settle(answer: RenderAnswer): void {
    const client = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (!client) return;
    if ('bytes' in answer) client.resolve(answer.bytes);
    else if ('abandoned' in answer) client.reject(abandoned());
    else client.reject(problemOf(answer));
  }

  const generators = await start();
  data.hashes = generators.map(({ hash }) => hash);
  return {
    generators,
    rendered: () => Atomics.load(counter, 0),
    async render(path, wanted) {
      if (!thread) throw lost();
      const id = nextId++;
      const { promise, ...client } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
      waiting.set(id, client);
      // The thread answers when it has given it up: until then it is busy with it.
      wanted.onAbort(() => thread?.postMessage({ abandon: id } satisfies RenderRequest));
      thread.postMessage({ id, path } satisfies RenderRequest);
      return promise;
    },
  };
}

/** All that the process needs of a generator: what it is, and what rendering it costs. */
export const toGenerator = ({ manifest, hash, renderMs }: LoadedGenerator): AnyGenerator => ({
  manifest,
  hash,
  renderMs,
  latentSpace: manifest.latent,
  render: () => Promise.reject(new Error('pictures are rendered in the thread for it')),
});

const lost = () =>
  new ProblemError(503, 'The thread that was rendering has failed. Try again in a moment.', {
    headers: { 'Retry-After': '5' },
  });

function problemOf({ status, detail, retryAfter }: RenderProblem) {
  const headers = retryAfter === undefined ? {} : { 'Retry-After': retryAfter };
  return new ProblemError(status === 503 ? 503 : 500, detail, { headers });
}
