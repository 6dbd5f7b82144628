/**
 * `npm run bench:cpu`: the CPU time that workerd takes for a request, which is what Cloudflare's
 * plans limit. Read from /proc, so on Linux only.
 *
 *     node bench/bench-cpu.ts [--preset article|lite] [--requests 200] [--json]
 *
 * @module
 */
import process from 'node:process';
import { readWhole, runCommand } from '@killme/command-line';
import { UserError } from '@killme/model';
import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import { readArguments } from '../scripts/arguments.ts';
import { type BenchPreset, choosePresets, folderOf } from './generator.ts';
import { cpuTimeMs, type Server, startBareServer, startServer } from './server.ts';
import { describeMachine } from './table.ts';

/** What Cloudflare's free plan gives a request. */
const FREE_PLAN_MS = 10;

/** Of each kind; the median of them is reported. */
const ROUNDS = 5;

/** Requests that are not counted: V8 compiles what runs often. */
const WARM_UP_REQUESTS = 60;

/** What runs the Worker: workerd by itself, or behind wrangler's proxies as `npm start` has it. */
const SERVERS = { workerd: startBareServer, wrangler: startServer };

type Ask = (number: number) => { path: string; headers?: Record<string, string> };

interface Measured {
  request: string;
  server: keyof typeof SERVERS;
  /** CPU milliseconds of one request, in each round. */
  cpuMs: number[];
}

async function main(): Promise<void> {
  const options = readArguments({
    preset: { type: 'string' },
    requests: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  });
  const requests = readWhole('--requests', options.requests, { least: 1 });
  if (process.platform !== 'linux') throw new UserError('bench:cpu reads /proc: it runs on Linux');
  if (!options.json) {
    console.log(`${describeMachine()}; medians of ${ROUNDS} rounds of ${requests} requests\n`);
  }
  for (const preset of choosePresets(options.preset)) {
    const measured: Measured[] = [];
    for (const server of ['workerd', 'wrangler'] as const) {
      measured.push(...(await measure(server, folderOf(preset), requests)));
    }
    if (options.json) printJson(preset, measured);
    else printTable(preset, measured);
  }
}

async function measure(
  name: keyof typeof SERVERS,
  folder: string,
  requests: number,
): Promise<Measured[]> {
  const server = await SERVERS[name](folder);
  try {
    const first = await fetch(`${server.origin}/img?seed=first`);
    await first.arrayBuffer();
    const tag = first.headers.get('ETag') ?? '';
    const kinds: Record<string, Ask> = {
      '/healthz': () => ({ path: '/healthz' }),
      '304, the client has it': () => ({
        path: '/img?seed=first',
        headers: { 'If-None-Match': tag },
      }),
      // workerd by itself has no cache.
      ...(name === 'wrangler'
        ? { 'a picture from the Cache API': () => ({ path: '/img?seed=first' }) }
        : {}),
      'a new picture, PNG': (n) => ({ path: `/img?seed=${n}` }),
      'a new picture, WebP': (n) => ({ path: `/img?seed=${n}&format=webp` }),
    };
    let number = 0;
    const measured: Measured[] = [];
    for (const [request, ask] of Object.entries(kinds)) {
      for (let i = 0; i < WARM_UP_REQUESTS; i++) await send(server, ask(number++));
      const cpuMs: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const before = cpuTimeMs(server.processId);
        for (let i = 0; i < requests; i++) await send(server, ask(number++));
        cpuMs.push((cpuTimeMs(server.processId) - before) / requests);
      }
      measured.push({ request, server: name, cpuMs });
    }
    return measured;
  } finally {
    await server.stop();
  }
}

async function send(
  { origin }: Pick<Server, 'origin'>,
  { path, headers }: ReturnType<Ask>,
): Promise<void> {
  const response = await fetch(`${origin}${path}`, headers ? { headers } : {});
  await response.arrayBuffer();
  if (!response.ok && response.status !== 304) throw new Error(`${path}: ${response.status}`);
}

function printTable(preset: BenchPreset, measured: readonly Measured[]): void {
  const rows = measured.map(({ request, server, cpuMs }) => {
    const value = median(cpuMs);
    const range = `${Math.min(...cpuMs).toFixed(1)} to ${Math.max(...cpuMs).toFixed(1)}`;
    const through = server === 'workerd' ? 'by itself' : 'through wrangler';
    return [
      request,
      through,
      value.toFixed(1),
      range,
      value <= FREE_PLAN_MS ? 'holds' : 'does not hold',
    ];
  });
  const header = [preset, 'workerd', 'CPU ms', 'lowest to highest', `≤ ${FREE_PLAN_MS} ms`];
  console.log(`${markdownTable([header, ...rows])}\n`);
}

function printJson(preset: BenchPreset, measured: readonly Measured[]): void {
  for (const { request, server, cpuMs } of measured) {
    console.log(
      JSON.stringify({ preset, request, server, cpu_ms: Number(median(cpuMs).toFixed(2)) }),
    );
  }
}

if (import.meta.main) await runCommand(main);
