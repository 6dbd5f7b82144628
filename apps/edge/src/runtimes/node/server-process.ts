/**
 * One of the processes of a server: it listens on the shared port and answers what is cheap; its
 * thread renders. Started by supervisor.ts.
 *
 * @module
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import process from 'node:process';
import { getRequestListener, RequestError } from '@hono/node-server';
import { UserError } from '@killme/model';
import { createApp } from '../../app.ts';
import { ProblemError, problemResponse } from '../../http/problem.ts';
import { diskOptions, loadAll } from '../disk.ts';
import { memoryStore } from '../memory-store.ts';
import { accessLog } from './access-log.ts';
import { createAnswerCache } from './answer-cache.ts';
import { diskStore } from './disk-store.ts';
import { countRequests } from './metrics.ts';
import type { Exchange, Observe } from './observe.ts';
import { startRenderWorker, toGenerator } from './render-worker.ts';
import {
  type ProcessMessage,
  type ProcessOptions,
  processOptions,
  STOP,
} from './supervisor-messages.ts';

/** Requests that are being answered at a time; beyond it only what is in memory is. */
const MOST_REQUESTS = 2000;

/** Connections; beyond it they are closed at once. */
const MOST_CONNECTIONS = 8000;

/**
 * Connections that the system holds until this program takes them, if it holds so many (Linux: 4,096). Node's own
 * bound is 511; whoever comes beyond it is not answered, and tries again after one second and after three.
 */
const MOST_WAITING = 4096;

/** Bytes of a request's head: longer addresses than the app takes, so that it says what is too long. */
const MOST_HEAD_BYTES = 2 ** 16;

/** A client that neither sends nor takes anything for so long is disconnected. */
const IDLE_MS = 30_000;

async function main(): Promise<void> {
  const options = processOptions.parse(JSON.parse(process.argv[2] ?? ''));
  const { generators, hashes } = options;
  const worker = await startRenderWorker({ generators, hashes });
  const disk = diskOptions(generators, worker.generators.map(toGenerator));
  const loaded = await loadAll(disk.listGenerators);
  const app = createApp({
    ...disk,
    listGenerators: async () => loaded,
    isImmutable: async () => options.immutable,
    renderElsewhere: worker,
    stores: [storeOf(options)],
  });
  const inFlight = new Set<ServerResponse>();
  const observers: Observe[] = [];
  if (options.accessLog) observers.push(accessLog());
  if (options.metrics) {
    observers.push(countRequests({ rendered: worker.rendered, inFlight: () => inFlight.size }));
  }
  const server = createServer(
    { maxHeaderSize: MOST_HEAD_BYTES },
    answerer({ fetch: app.fetch, inFlight, observers }),
  );
  server.setTimeout(IDLE_MS);
  server.maxConnections = MOST_CONNECTIONS;
  server.listen({ port: options.port, host: options.host, backlog: MOST_WAITING });
  await once(server, 'listening');
  end = () => endWell(server, inFlight);
  const address = server.address();
  send({
    type: 'ready',
    port: typeof address === 'object' && address ? address.port : options.port,
    hashes: worker.generators.map(({ hash }) => hash),
  });
}

/** The store behind the memory by address: other spellings of an address are found there. */
function storeOf({ cache }: ProcessOptions) {
  if (cache === undefined) return memoryStore();
  return diskStore(cache, (bytes) => send({ type: 'kept', bytes }));
}

/** Answers from memory, else by the app. */
function answerer({ fetch, inFlight, observers }: Answering): RequestListener {
  const cache = createAnswerCache();
  return (incoming, outgoing) => {
    const exchange: Exchange = {};
    for (const observe of observers) observe(incoming, outgoing, exchange);
    if (cache.answer(incoming, outgoing)) {
      exchange.source = 'memory';
      return;
    }
    inFlight.add(outgoing);
    outgoing.once('close', () => inFlight.delete(outgoing));
    const answerByApp = async (request: Request) => {
      if (inFlight.size > MOST_REQUESTS) return tooMany();
      const answer = await cache.keep(incoming, await fetch(request));
      exchange.source = answer.headers.get('Killme-Source') ?? undefined;
      return answer;
    };
    void getRequestListener(answerByApp, { errorHandler: explainFailure })(incoming, outgoing);
  };
}

interface Answering {
  fetch: (request: Request) => Response | Promise<Response>;
  inFlight: Set<ServerResponse>;
  observers: readonly Observe[];
}

const tooMany = () =>
  problemResponse(
    new ProblemError(503, 'Too many requests are being answered. Try again in a moment.', {
      headers: { 'Retry-After': '5' },
    }),
  );

function explainFailure(error: unknown): Response {
  if (error instanceof RequestError) {
    return problemResponse(new ProblemError(400, 'The Host header or the address is none.'));
  }
  console.error(error);
  return problemResponse(new ProblemError(500, 'The server failed. Its log has the reason.'));
}

/** What has begun is answered, and nothing new is taken. */
function endWell(server: Server, inFlight: ReadonlySet<ServerResponse>): void {
  for (const outgoing of inFlight) outgoing.shouldKeepAlive = false;
  server.prependListener('request', (_incoming, outgoing: ServerResponse) => {
    outgoing.shouldKeepAlive = false;
  });
  server.close(() => process.exit(0));
}

/** How this process ends on a signal; at once before it listens. */
let end: () => void = () => process.exit(0);
process.on('message', (message: unknown) => {
  if ((message as Partial<typeof STOP> | null)?.type === STOP.type) end();
});

const send = (message: ProcessMessage) => process.send?.(message);

// A signal for the whole group is for the supervisor, which tells this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

try {
  if (cluster.isPrimary) throw new Error('this is started by scripts/serve.ts');
  await main();
} catch (error) {
  const { line, isExpected } = explain(error);
  if (!isExpected) console.error(error);
  process.send?.({ type: 'refusal', message: line } satisfies ProcessMessage, () =>
    process.exit(1),
  );
}

function explain(error: unknown): { line: string; isExpected: boolean } {
  const line = error instanceof Error ? error.message : String(error);
  return { line, isExpected: error instanceof UserError || line.startsWith('listen ') };
}
