/**
 * `npm run bench:load`: requests a second and how long they take, of `npm start` on loopback, by
 * autocannon.
 *
 *     node bench/bench-load.ts [--preset article|lite] [--seconds 5] [--json]
 *
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises';
import { readWhole, runCommand } from '@killme/command-line';
import { markdownTable } from 'markdown-table';
import { z } from 'zod';
import { readArguments } from '../scripts/arguments.ts';
import { choosePresets, folderOf } from './generator.ts';
import { type Asked, type Loaded, load, percentile } from './load.ts';
import { mixedRequest } from './mixed-requests.ts';
import { startServer } from './server.ts';
import { describeMachine } from './table.ts';

const CONNECTIONS = [1, 4, 16, 64];

/** Characters that a page with avatars asks for again and again. */
const AVATARS = 20;

const SETTLE_POLL_MS = 100;

/** Given the number of a request, unique to it: its path, and its header. */
type Traffic = (number: number) => Asked;

interface Measured extends Loaded {
  traffic: string;
  connections: number;
}

async function main(): Promise<void> {
  const options = readArguments({
    preset: { type: 'string', default: 'lite' },
    seconds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  });
  const seconds = readWhole('--seconds', options.seconds, { least: 1, most: 60 });
  const [preset] = choosePresets(options.preset);
  if (!options.json) {
    console.log(
      `${describeMachine()}; preset ${preset}, ${seconds} s each, client on the same cores\n`,
    );
  }
  const measured = await measure(folderOf(preset!), seconds);
  if (options.json) printJson(measured);
  else printTable(measured);
}

async function measure(folder: string, seconds: number): Promise<Measured[]> {
  const server = await startServer(folder);
  try {
    const tag = await warmUp(server.origin);
    const kinds: Record<string, Traffic> = {
      '304, the client has it': () => ({
        path: '/img?seed=avatar-0',
        headers: { 'If-None-Match': tag },
      }),
      'cached, one of 20 seeds': (n) => ({ path: `/img?seed=avatar-${n % AVATARS}` }),
      'uncached, a new seed each': (n) => ({ path: `/img?seed=new-${n}` }),
      'mixed (mixed-requests.ts)': (n) => ({ path: mixedRequest(n) }),
    };
    // One number for each request of the whole run, so that none is repeated by chance.
    let number = AVATARS;
    const measured: Measured[] = [];
    for (const [traffic, ask] of Object.entries(kinds)) {
      for (const connections of CONNECTIONS) {
        const run = { origin: server.origin, connections, seconds, ask: () => ask(number++) };
        measured.push({ traffic, connections, ...(await load(run)) });
        await settle(server.origin);
      }
    }
    return measured;
  } finally {
    await server.stop();
  }
}

/** Renders what is cached later. @returns the tag of the first. */
async function warmUp(origin: string): Promise<string> {
  let tag = '';
  for (let i = 0; i < AVATARS; i++) {
    const response = await fetch(`${origin}/img?seed=avatar-${i}`);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    if (i === 0) tag = response.headers.get('ETag') ?? '';
  }
  return tag;
}

/** Waits for what the last clients have left behind: wrangler does not tell the worker that they went. */
async function settle(origin: string): Promise<void> {
  const state = z.object({ pictures: z.object({ pending: z.number() }) });
  while (true) {
    const { pictures } = state.parse(await (await fetch(`${origin}/healthz`)).json());
    if (pictures.pending === 0) return;
    await wait(SETTLE_POLL_MS);
  }
}

function figures({ traffic, connections, durationsMs, refused, errors, seconds }: Measured) {
  const rounded = (value: number | undefined) =>
    value === undefined ? null : Number(value.toFixed(1));
  return {
    traffic,
    connections,
    requests_per_second: Number((durationsMs.length / seconds).toFixed(1)),
    p50_ms: rounded(percentile(durationsMs, 0.5)),
    p99_ms: rounded(percentile(durationsMs, 0.99)),
    refused_503: refused,
    errors,
  };
}

function printJson(measured: readonly Measured[]): void {
  for (const entry of measured) console.log(JSON.stringify(figures(entry)));
}

function printTable(measured: readonly Measured[]): void {
  console.log(
    markdownTable([
      ['traffic', 'connections', 'requests/s', 'p50 ms', 'p99 ms', '503', 'errors'],
      ...measured.map((entry) => Object.values(figures(entry)).map((value) => String(value ?? ''))),
    ]),
  );
}

if (import.meta.main) await runCommand(main);
