/**
 * Starts the processes of a server and keeps them running: one that dies is started again. It answers
 * no request itself.
 *
 * @module
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { onStop } from '@killme/command-line';
import { UserError } from '@killme/model';
import { httpOrigin } from '../http-origin.ts';
import { sweepDisk } from './disk-store.ts';
import { metricsServer } from './metrics.ts';
import { sibling } from './sibling.ts';
import { type ProcessOptions, processMessage, STOP } from './supervisor-messages.ts';

/** What `npm run serve` was asked for. */
export interface ServerOptions extends Omit<ProcessOptions, 'hashes' | 'metrics'> {
  processes: number;
  /** Bytes of the store on disk at most. */
  cacheBytes: number;
  /** Where Prometheus finds `/metrics`. */
  metrics: { host: string; port: number } | undefined;
}

const PROGRAM = fileURLToPath(sibling('server-process'));

/** What docker and systemd wait for at least before they kill, and longer than accepted work takes. */
const GRACE_MS = 9500;

/** Before a process that has died is started again; twice as long each time that it dies early. */
const RESTART_MS = { least: 100, most: 30_000 };

/** A process that has run for so long did not die early. */
const SETTLED_MS = 10_000;

/** The store on disk is swept when so much of its bound was written. */
const SWEEP_SHARE = 1 / 20;

/**
 * Serves until a signal ends it.
 * @throws UserError in one line when the first processes cannot serve.
 */
export async function supervise(options: ServerOptions): Promise<void> {
  const metrics = options.metrics && metricsServer();
  if (metrics && options.metrics) await listen(metrics.server, options.metrics);
  const store = diskSweeper(options);
  const state: State = { options, store, isStopping: false, hashes: undefined, metrics };
  await store.sweep();
  const first = Array.from({ length: options.processes }, () => startProcess(state));
  onStop(() => stopAll(state));
  const [ready] = await Promise.all(first).catch((error: unknown) => {
    if (state.isStopping) return [];
    state.isStopping = true;
    metrics?.server.close();
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
    throw error;
  });
  if (state.isStopping) return;
  state.hashes = ready!.hashes;
  const named = options.generators.filter(({ kept }) => !kept);
  const names = named.map(({ name }) => name).join(', ');
  const count = options.processes === 1 ? '1 process' : `${options.processes} processes`;
  console.log(`Ready on ${httpOrigin(options.host, ready!.port)} (${names}; ${count})`);
}

interface State {
  options: ServerOptions;
  store: ReturnType<typeof diskSweeper>;
  isStopping: boolean;
  /** Of the generators that the first processes have loaded. */
  hashes: string[] | undefined;
  metrics: ReturnType<typeof metricsServer> | undefined;
}

type Ready = Extract<ReturnType<typeof processMessage.parse>, { type: 'ready' }>;

/**
 * Starts one process, and another one when it has died after it was ready.
 * @returns what it says when it is ready.
 * @throws UserError when it ends before.
 */
function startProcess(state: State, restartMs = RESTART_MS.least): Promise<Ready> {
  const { options, store, hashes } = state;
  const { processes, cacheBytes, metrics, ...rest } = options;
  const served: ProcessOptions = { ...rest, metrics: metrics !== undefined, hashes };
  cluster.setupPrimary({ exec: PROGRAM, args: [JSON.stringify(served)] });
  const worker = cluster.fork();
  const startMs = performance.now();
  const ready = Promise.withResolvers<Ready>();
  let isReady = false;
  worker.on('message', (received: unknown) => {
    const { data: message } = processMessage.safeParse(received);
    if (message?.type === 'kept') store.add(message.bytes);
    if (message?.type === 'refusal') ready.reject(new UserError(message.message));
    if (message?.type !== 'ready') return;
    isReady = true;
    ready.resolve(message);
  });
  worker.once('exit', (code, signal) => {
    ready.reject(new UserError(`a process has ended before it was ready (${signal || code})`));
    if (!isReady || state.isStopping) return;
    console.error(`process ${worker.process.pid} has ended (${signal || code}): it is replaced`);
    state.metrics?.restarted();
    const hasSettled = performance.now() - startMs > SETTLED_MS;
    replaceLater(state, hasSettled ? RESTART_MS.least : restartMs);
  });
  return ready.promise;
}

/** Starts another process; waits twice as long each time that it cannot start. */
function replaceLater(state: State, delayMs: number): void {
  const next = Math.min(2 * delayMs, RESTART_MS.most);
  setTimeout(() => {
    if (state.isStopping) return;
    startProcess(state, next).catch((error: UserError) => {
      if (state.isStopping) return;
      console.error(error.message);
      replaceLater(state, next);
    });
  }, delayMs);
}

/** At the first signal what has begun is answered; at the second everything ends. */
function stopAll(state: State): void {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  const kill = () => {
    for (const worker of workers) worker.process.kill('SIGKILL');
  };
  if (state.isStopping) {
    kill();
    process.exit(130);
  }
  state.isStopping = true;
  for (const worker of workers) if (worker.isConnected()) worker.send(STOP);
  const late = setTimeout(kill, GRACE_MS);
  const ended = workers.map((worker) => (worker.isDead() ? undefined : once(worker, 'exit')));
  void Promise.all(ended).then(() => {
    clearTimeout(late);
    process.exit(0);
  });
}

/** Keeps the store on disk within its bound, or a twentieth above it for as long as a sweep takes. */
function diskSweeper({ cache, cacheBytes }: ServerOptions) {
  let written = 0;
  let sweeping: Promise<unknown> | undefined;
  const sweep = async () => {
    if (cache === undefined) return;
    written = 0;
    await sweepDisk(cache, cacheBytes);
  };
  return {
    sweep,
    add(bytes: number) {
      written += bytes;
      if (sweeping || written < cacheBytes * SWEEP_SHARE) return;
      sweeping = sweep()
        .catch((error: unknown) => console.warn(`the store on disk cannot be swept: ${error}`))
        .finally(() => {
          sweeping = undefined;
        });
    },
  };
}

async function listen(
  server: ReturnType<typeof metricsServer>['server'],
  { host, port }: { host: string; port: number },
): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new UserError(`--metrics: ${error instanceof Error ? error.message : error}`);
  });
}
