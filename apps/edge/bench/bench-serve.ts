/**
 * `npm run bench:serve`: what `npm run serve` answers in a second, and how long a cached answer takes
 * while new ones are rendered and ten times as many are asked for; beside it nginx with the same files
 * from disk. Client and servers share the machine. Linux only: it reads /proc.
 *
 *     node bench/bench-serve.ts [--seconds 5] [--rounds 3] [--processes N] [--access-log on|off] [--json]
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { UserError } from '@killme/model';
import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import { readArguments, runScript } from '../scripts/arguments.ts';
import { flood } from './flood.ts';
import { folderOf } from './generator.ts';
import { type Asked, type Loaded, load, percentile } from './load.ts';
import { type Nginx, startNginx } from './nginx.ts';
import { cpuTimeMs, familyOf, startNodeServer } from './server.ts';
import { describeMachine } from './table.ts';

/** Characters that a page with avatars asks for again and again. */
const AVATARS = 20;

/** As many browsers as keep a server busy, and no queue. */
const CONNECTIONS = 32;

/** Rendered one after the other, for the CPU time of one. */
const ALONE = 100;

/** New seeds asked for, in terms of what can be rendered. */
const OVERLOAD = 10;

/** More clients than a server accepts work of: each waits for its answer before it asks again. */
const FLOOD_CONNECTIONS = 2500;

/** Cached answers a second that are timed while others render. */
const PROBES = 200;

/** What the issue of this server asks for, on two cores with the client beside it. */
const GOALS = { cached: 5000, unchanged: 8000, renderedShare: 0.9, p99Ms: 20 };

interface Row {
  what: string;
  /** Answers a second, in each round. */
  perSecond: number[];
  /** Milliseconds, in each round. */
  p99Ms: number[];
  refused: number;
  errors: number;
  goal: string;
}

async function main(): Promise<void> {
  const options = readArguments({
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    processes: { type: 'string', default: String(availableParallelism()) },
    'access-log': { type: 'string', default: 'on' },
    json: { type: 'boolean', default: false },
  });
  if (process.platform !== 'linux')
    throw new UserError('bench:serve reads /proc: it runs on Linux');
  const seconds = readCount('--seconds', options.seconds, 60);
  const rounds = readCount('--rounds', options.rounds, 20);
  const serverOptions = [
    ...['--cache', 'off', '--processes', options.processes],
    ...['--access-log', options['access-log']],
  ];
  if (!options.json) {
    console.log(
      `${describeMachine()}; lite, ${serverOptions.join(' ')}, ${rounds} rounds of ${seconds} s in turns, ` +
        `${CONNECTIONS} connections, client on the same cores\n`,
    );
  }
  const server = await startNodeServer([folderOf('lite')], serverOptions);
  try {
    const bench = await prepare(server.origin, seconds);
    try {
      const cpuMs = await cpuOfOne(server);
      const rows = await measure(bench, rounds, cpuMs);
      if (options.json) for (const row of rows) console.log(JSON.stringify(figures(row)));
      else printTable(rows, cpuMs);
    } finally {
      await bench.nginx?.stop();
    }
  } finally {
    await server.stop();
  }
}

function readCount(name: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new UserError(`${name} must be a whole number from 1 to ${most}, not ${text}`);
}

interface Bench {
  origin: string;
  seconds: number;
  nginx: Nginx | undefined;
  /** ETags of the first avatar. */
  tag: string;
  nginxTag: string;
}

/** Renders what is cached later, and gives the same files to nginx. */
async function prepare(origin: string, seconds: number): Promise<Bench> {
  const files = new Map<string, Uint8Array>();
  let tag = '';
  for (let i = 0; i < AVATARS; i++) {
    const answer = await fetch(`${origin}/img?seed=avatar-${i}`);
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    files.set(`avatar-${i}.png`, new Uint8Array(await answer.arrayBuffer()));
    if (i === 0) tag = answer.headers.get('ETag') ?? '';
  }
  // Every process has each in its memory, wherever its connection ends.
  await load({ origin, connections: CONNECTIONS, seconds: 2, ask: avatars() });
  const nginx = await startNginx(files);
  const first = nginx && (await fetch(`${nginx.origin}/avatar-0.png`));
  await first?.arrayBuffer();
  return { origin, seconds, nginx, tag, nginxTag: first?.headers.get('ETag') ?? '' };
}

const avatars = (): (() => Asked) => {
  let number = 0;
  return () => ({ path: `/img?seed=avatar-${number++ % AVATARS}` });
};

/** CPU milliseconds of one new picture, of all processes, PNG and HTTP and all. */
async function cpuOfOne({
  origin,
  processId,
}: {
  origin: string;
  processId: number;
}): Promise<number> {
  const spent = () => familyOf(processId).reduce((sum, { pid }) => sum + cpuTimeMs(pid), 0);
  const ask = async (name: string) =>
    (await fetch(`${origin}/img?seed=${name}-${process.pid}`)).arrayBuffer();
  for (let i = 0; i < ALONE; i++) await ask(`warm-${i}`);
  const before = spent();
  for (let i = 0; i < ALONE; i++) await ask(`alone-${i}`);
  return (spent() - before) / ALONE;
}

async function measure(bench: Bench, rounds: number, cpuMs: number): Promise<Row[]> {
  const { origin, seconds, nginx, tag, nginxTag } = bench;
  const most = (availableParallelism() * 1000) / cpuMs;
  const run = (at: string, ask: () => Asked) =>
    load({ origin: at, connections: CONNECTIONS, seconds, ask });
  let number = 0;
  const kinds: [what: string, goal: string, run: () => Promise<Loaded>][] = [
    [
      'serve, 304',
      `≥ ${GOALS.unchanged}/s`,
      () => run(origin, () => ({ path: '/img?seed=avatar-0', headers: { 'If-None-Match': tag } })),
    ],
    ['serve, one of 20 cached', `≥ ${GOALS.cached}/s`, () => run(origin, avatars())],
    [
      'serve, a new seed each',
      `≥ ${(GOALS.renderedShare * most).toFixed(0)}/s`,
      () => run(origin, () => ({ path: `/img?seed=new-${process.pid}-${number++}` })),
    ],
    [
      `serve, cached while ${OVERLOAD} × as many new seeds are asked for`,
      `p99 < ${GOALS.p99Ms} ms`,
      () => probeInFlood(bench, most),
    ],
  ];
  if (nginx) {
    const headers = { 'If-None-Match': nginxTag };
    const files = avatars();
    kinds.push(
      ['nginx, 304', '', () => run(nginx.origin, () => ({ path: '/avatar-0.png', headers }))],
      [
        'nginx, one of 20 files',
        '',
        () =>
          run(nginx.origin, () => ({ path: `/${files().path.slice('/img?seed='.length)}.png` })),
      ],
    );
  }
  const rows = kinds.map(
    ([what, goal]): Row => ({ what, goal, perSecond: [], p99Ms: [], refused: 0, errors: 0 }),
  );
  for (let round = 0; round < rounds; round++) {
    for (const [i, [, , measureOne]] of kinds.entries()) add(rows[i]!, await measureOne());
  }
  return rows;
}

function add(row: Row, { durationsMs, refused, errors, seconds }: Loaded): void {
  row.perSecond.push(durationsMs.length / seconds);
  row.p99Ms.push(percentile(durationsMs, 0.99) ?? Number.NaN);
  row.refused += refused;
  row.errors += errors;
}

/** Cached answers while far more new seeds are asked for than can be rendered. */
async function probeInFlood({ origin, seconds }: Bench, most: number): Promise<Loaded> {
  const [probed, flooded] = await Promise.all([
    load({ origin, connections: 4, seconds, rate: PROBES, ask: avatars() }),
    flood({ origin, connections: FLOOD_CONNECTIONS, seconds, rate: Math.round(OVERLOAD * most) }),
  ]);
  return {
    ...probed,
    refused: probed.refused + flooded.refused,
    errors: probed.errors + flooded.errors,
  };
}

function figures({ what, perSecond, p99Ms, refused, errors }: Row) {
  return {
    what,
    per_second: Number(median(perSecond).toFixed(1)),
    p99_ms: Number(median(p99Ms).toFixed(1)),
    refused_503: refused,
    errors,
  };
}

function printTable(rows: readonly Row[], cpuMs: number): void {
  const spread = (values: readonly number[], digits: number) =>
    `${median([...values]).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
  const header = ['', 'answers/s', 'p99 ms', '503', 'errors', 'goal'];
  const body = rows.map(({ what, perSecond, p99Ms, refused, errors, goal }) => [
    what,
    spread(perSecond, 0),
    spread(p99Ms, 1),
    String(refused),
    String(errors),
    goal,
  ]);
  console.log(markdownTable([header, ...body], { alignDelimiters: false }));
  console.log(
    `\nMedian (lowest–highest). One new picture takes ${cpuMs.toFixed(1)} ms of CPU, HTTP and all.`,
  );
}

if (import.meta.main) await runScript(main);
