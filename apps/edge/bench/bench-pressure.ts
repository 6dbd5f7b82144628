/**
 * `npm run bench:pressure`: how long cheap requests take, and how much memory a server, while others
 * ask for all that they may. Client and server share the machine.
 *
 *     node bench/bench-pressure.ts [--server node|deno|workerd|wrangler] [--only TEXT] [--json]
 *
 * @module
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { runCommand } from '@killme/command-line';
import { UserError } from '@killme/model';
import { markdownTable } from 'markdown-table';
import { z } from 'zod';
import { readArguments } from '../scripts/arguments.ts';
import { SHIPPED_GENERATORS } from '../src/runtimes/named-folder.ts';
import { familyOf } from '../src/testing/index.ts';
import {
  processMemory,
  type Server,
  startBareServer,
  startDenoServer,
  startNodeServer,
  startServer,
} from './server.ts';
import { describeMachine } from './table.ts';

/** Between two cheap requests of each kind. */
const PROBE_EVERY_MS = 20;

const EXPENSIVE = '/morph?steps=64&size=221&format=gif&space=pixel';

interface Measured {
  load: string;
  /** Of cheap requests: the 99th of a hundred, and the slowest, in milliseconds. */
  health: Latency;
  unchanged: Latency;
  /** Nothing where the server keeps no pictures. */
  cached: Latency | undefined;
  seconds: number;
  answers: Record<string, number>;
  rendered: number;
  /** The most that was resident meanwhile. */
  peakMb: number;
}

interface Latency {
  p99: number;
  most: number;
}

async function main(): Promise<void> {
  const options = readArguments({
    server: { type: 'string', default: 'node' },
    // Loads whose name has it, all when it is omitted.
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  });
  const start = STARTS[options.server];
  if (!start) {
    const names = Object.keys(STARTS).join(', ');
    throw new UserError(`--server must be one of ${names}, not ${options.server}`);
  }
  if (!options.json) console.log(`${describeMachine()}; ${options.server}\n`);
  const measured: Measured[] = [];
  for (const [name, load] of Object.entries(LOADS)) {
    if (!name.includes(options.only)) continue;
    // A new server each time, so that none pays for the memory of the one before.
    const server = await start(...SHIPPED_GENERATORS.map(({ folder }) => folder));
    try {
      measured.push(await measure(server, name, load));
    } finally {
      await server.stop();
    }
  }
  if (options.json) for (const entry of measured) console.log(JSON.stringify(entry));
  else printTable(measured);
}

type Measurable = Omit<Server, 'inspectorAddress'> & { metricsAddress?: string; keeps?: boolean };

const STARTS: Record<string, (...generators: string[]) => Promise<Measurable>> = {
  node: startNodeWithFreshStore,
  deno: startDenoServer,
  // It has no cache by itself, so a picture that was answered is rendered anew.
  workerd: async (...generators) => ({ ...(await startBareServer(...generators)), keeps: false }),
  wrangler: startServer,
};

/** With a store on disk of its own: each run begins with nothing. */
async function startNodeWithFreshStore(...generators: string[]): Promise<Measurable> {
  const cache = await mkdtemp(`${tmpdir()}/killme-pressure-`);
  const server = await startNodeServer(generators, ['--cache', cache, '--access-log', 'off']);
  return { ...server, stop: () => server.stop().finally(() => rm(cache, { recursive: true })) };
}

/** Puts a server under pressure. @returns how many answers had which status, or what else was counted. */
type Load = (server: Measurable) => Promise<Record<string, number>>;

const LOADS: Record<string, Load> = {
  'nothing else': async () => {
    await wait(3000);
    return {};
  },
  '200 new seeds at once': (server) => askAll(server, seeds(200, '/img?')),
  '200 new seeds of article at once': (server) => askAll(server, seeds(200, '/img?model=article&')),
  '400 new seeds at once': (server) => askAll(server, seeds(400, '/img?')),
  '1,600 new seeds at once': (server) => askAll(server, seeds(1600, '/img?')),
  '20 of the most expensive walks': (server) =>
    askAll(
      server,
      Array.from({ length: 20 }, (_, i) => `${EXPENSIVE}&from=from-${i}&to=to-${i}`),
    ),
  '200 new seeds, all disconnected after 100 ms': async (server) => {
    const before = await renderedBy(server);
    const sockets = await Promise.all(seeds(200, '/img?').map((path) => send(server, path)));
    await wait(100);
    const meanwhile = await renderedBy(server);
    for (const socket of sockets) socket.resetAndDestroy();
    await wait(3000);
    const after = await renderedBy(server);
    return { 'rendered before they left': meanwhile - before, afterwards: after - meanwhile };
  },
  '100 clients that never read weights of 14 MB': async (server) => {
    const path = '/generator/weights-0.bin?model=article';
    const sockets = await Promise.all(Array.from({ length: 100 }, () => send(server, path)));
    await wait(5000);
    for (const socket of sockets) socket.destroy();
    return {};
  },
};

const seeds = (count: number, path: string) =>
  Array.from({ length: count }, (_, i) => `${path}seed=pressure-${i}`);

async function askAll(
  { origin }: Measurable,
  paths: readonly string[],
): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  await Promise.all(
    paths.map(async (path) => {
      const response = await fetch(origin + path);
      await response.arrayBuffer();
      answers[response.status] = (answers[response.status] ?? 0) + 1;
    }),
  );
  return answers;
}

/** Sends a request, and reads nothing. */
async function send({ origin }: Measurable, path: string): Promise<Socket> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  return socket;
}

async function measure(server: Measurable, load: string, press: Load): Promise<Measured> {
  const cached = '/img?seed=cached';
  const first = await fetch(server.origin + cached);
  await first.arrayBuffer();
  await (await fetch(`${server.origin}/img?seed=loaded&model=article`)).arrayBuffer();
  const headers = { 'If-None-Match': first.headers.get('ETag') ?? '' };
  const before = await renderedBy(server);
  let done = false;
  const isDone = () => done;
  const probes = [
    probe(isDone, () => fetch(`${server.origin}/healthz`)),
    probe(isDone, () => fetch(server.origin + cached, { headers })),
    ...(server.keeps === false ? [] : [probe(isDone, () => fetch(server.origin + cached))]),
  ];
  let peak = 0;
  const watch = watchMemory(isDone, server.processId, (bytes) => {
    peak = Math.max(peak, bytes);
  });
  const startMs = performance.now();
  const answers = await press(server);
  const seconds = (performance.now() - startMs) / 1000;
  done = true;
  const [health, unchanged, kept] = await Promise.all(probes);
  await watch;
  const rendered = (await renderedBy(server)) - before;
  return {
    load,
    health: health!,
    unchanged: unchanged!,
    cached: kept,
    seconds: Number(seconds.toFixed(1)),
    answers,
    rendered,
    peakMb: Math.round(peak / 1e6),
  };
}

async function probe(isDone: () => boolean, ask: () => Promise<Response>): Promise<Latency> {
  const durationsMs: number[] = [];
  while (!isDone()) {
    const startMs = performance.now();
    await (await ask()).arrayBuffer();
    durationsMs.push(performance.now() - startMs);
    await wait(PROBE_EVERY_MS);
  }
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const at = (fraction: number) => Math.round(sorted[Math.ceil(fraction * sorted.length) - 1] ?? 0);
  return { p99: at(0.99), most: at(1) };
}

async function watchMemory(
  isDone: () => boolean,
  processId: number,
  see: (bytes: number) => void,
): Promise<void> {
  while (!isDone()) {
    const processes = familyOf(processId);
    see(processes.reduce((sum, { pid }) => sum + residentOf(pid), 0));
    await wait(200);
  }
}

/** Nothing of a process that has just ended. */
function residentOf(pid: number): number {
  try {
    return processMemory(pid).resident || 0;
  } catch {
    return 0;
  }
}

/** Pictures that all processes of a server have rendered. */
async function renderedBy({ origin, metricsAddress }: Measurable): Promise<number> {
  if (metricsAddress) {
    const text = await (await fetch(metricsAddress)).text();
    return Number(/^killme_pictures_rendered_total (\d+)$/m.exec(text)?.[1]);
  }
  const schema = z.object({ pictures: z.object({ rendered: z.number() }) });
  return schema.parse(await (await fetch(`${origin}/healthz`)).json()).pictures.rendered;
}

function printTable(measured: readonly Measured[]): void {
  const latency = (of: Latency | undefined) => (of ? `${of.p99} (${of.most})` : '');
  const header = [
    'meanwhile',
    '/healthz',
    '304',
    'cached',
    'took s',
    'answers',
    'rendered',
    'peak MB',
  ];
  const rows = measured.map(
    ({ load, health, unchanged, cached, seconds, answers, rendered, peakMb }) => [
      load,
      ...[health, unchanged, cached].map(latency),
      String(seconds),
      Object.entries(answers)
        .map(([what, count]) => `${count} × ${what}`)
        .join(', '),
      String(rendered),
      String(peakMb),
    ],
  );
  console.log(markdownTable([header, ...rows], { alignDelimiters: false }));
  console.log('\nMilliseconds: p99 (slowest).');
}

if (import.meta.main) await runCommand(main);
