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
import { setTimeout as wait } from 'node:timers/promises';
import { readWhole, runCommand } from '@killme/command-line';
import { UserError } from '@killme/model';
import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import { readArguments } from '../scripts/arguments.ts';
import { familyOf } from '../src/testing/index.ts';
import { flood } from './flood.ts';
import { folderOf } from './generator.ts';
import { type Asked, type Loaded, load, percentile } from './load.ts';
import { type Nginx, startNginx } from './nginx.ts';
import { cpuTimeMs, startNodeServer } from './server.ts';
import { describeMachine } from './table.ts';
import { wrk } from './wrk.ts';

/** Characters that a page with avatars asks for again and again. */
const AVATARS = 20;

/** As many browsers as keep a server busy, and no queue. */
const CONNECTIONS = 32;

/** Rendered one after the other, for the CPU time of one. */
const ALONE = 50;

/** New seeds asked for, in terms of what can be rendered. */
const OVERLOAD = 10;

/** More clients than a server accepts work of: each waits for its answer before it asks again. */
const FLOOD_CONNECTIONS = 2500;

/** Between two rows: what clients that left had asked for is given up. */
const SETTLE_MS = 1000;

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
  /** CPU microseconds of the server for each answer, refusals included, in each round. */
  cpuUs: number[];
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
  const seconds = readWhole('--seconds', options.seconds, { least: 1, most: 60 });
  const rounds = readWhole('--rounds', options.rounds, { least: 1, most: 20 });
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
    const bench = await prepare(server, seconds);
    try {
      const cpuMs = await cpuOfOne(bench);
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

interface Bench {
  origin: string;
  seconds: number;
  nginx: Nginx | undefined;
  /** CPU milliseconds that all processes of a server have taken. */
  spentMs: (server: 'serve' | 'nginx') => number;
  /** ETags of the first avatar. */
  tag: string;
  nginxTag: string;
}

/** Renders what is cached later, and gives the same files to nginx. */
async function prepare(
  { origin, processId }: { origin: string; processId: number },
  seconds: number,
): Promise<Bench> {
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
  const roots = { serve: processId, nginx: nginx?.processId };
  const spentMs = (server: 'serve' | 'nginx') =>
    familyOf(roots[server] ?? -1).reduce((sum, { pid }) => sum + cpuTimeMs(pid), 0);
  return { origin, seconds, nginx, spentMs, tag, nginxTag: first?.headers.get('ETag') ?? '' };
}

const avatars = (): (() => Asked) => {
  let number = 0;
  return () => ({ path: `/img?seed=avatar-${number++ % AVATARS}` });
};

/** CPU milliseconds of one new picture, of all processes, PNG and HTTP and all. */
async function cpuOfOne({ origin, spentMs }: Bench): Promise<number> {
  const ask = async (name: string) =>
    (await fetch(`${origin}/img?seed=${name}-${process.pid}`)).arrayBuffer();
  for (let i = 0; i < ALONE; i++) await ask(`warm-${i}`);
  const before = spentMs('serve');
  for (let i = 0; i < ALONE; i++) await ask(`alone-${i}`);
  return (spentMs('serve') - before) / ALONE;
}

/** What one round of a row has measured. */
interface Round {
  perSecond: number;
  p99Ms: number;
  /** Of all answers. */
  count: number;
  refused: number;
  errors: number;
}

interface Kind {
  what: string;
  goal: string;
  server: 'serve' | 'nginx';
  run: () => Promise<Round>;
}

async function measure(bench: Bench, rounds: number, cpuMs: number): Promise<Row[]> {
  const most = (availableParallelism() * 1000) / cpuMs;
  const kinds = [...cheapKinds(bench), ...renderingKinds(bench, most)];
  const rows = kinds.map(
    ({ what, goal }): Row => ({
      ...{ what, goal, perSecond: [], p99Ms: [], cpuUs: [], refused: 0, errors: 0 },
    }),
  );
  for (let round = 0; round < rounds; round++) {
    for (const [i, { server, run }] of kinds.entries()) {
      const before = bench.spentMs(server);
      const { perSecond, p99Ms, count, refused, errors } = await run();
      const row = rows[i]!;
      row.perSecond.push(perSecond);
      row.p99Ms.push(p99Ms);
      row.cpuUs.push((1000 * (bench.spentMs(server) - before)) / count);
      row.refused += refused;
      row.errors += errors;
      await wait(SETTLE_MS);
    }
  }
  return rows;
}

/** What needs no rendering, by wrk, and nginx in turns with it. */
function cheapKinds({ origin, seconds, nginx, tag, nginxTag }: Bench): Kind[] {
  const run = async (at: string, asked: Asked[]) => ({
    ...(await wrk({ origin: at, connections: CONNECTIONS, seconds, asked })),
    refused: 0,
  });
  const numbers = Array.from({ length: AVATARS }, (_, i) => i);
  const unchanged = [{ path: '/img?seed=avatar-0', headers: { 'If-None-Match': tag } }];
  const cached = numbers.map((i) => ({ path: `/img?seed=avatar-${i}` }));
  const goals = { unchanged: `≥ ${GOALS.unchanged}/s`, cached: `≥ ${GOALS.cached}/s` };
  const own: Kind[] = [
    { what: '304', goal: goals.unchanged, server: 'serve', run: () => run(origin, unchanged) },
    {
      what: 'one of 20 cached',
      goal: goals.cached,
      server: 'serve',
      run: () => run(origin, cached),
    },
  ];
  if (!nginx) return own;
  const same = [{ path: '/avatar-0.png', headers: { 'If-None-Match': nginxTag } }];
  const files = numbers.map((i) => ({ path: `/avatar-${i}.png` }));
  const theirs: Kind[] = [
    { what: 'nginx, 304', goal: '', server: 'nginx', run: () => run(nginx.origin, same) },
    {
      what: 'nginx, one of 20 files',
      goal: '',
      server: 'nginx',
      run: () => run(nginx.origin, files),
    },
  ];
  return [own[0]!, theirs[0]!, own[1]!, theirs[1]!];
}

/** What renders, by autocannon: it can ask for something else each time. */
function renderingKinds(bench: Bench, most: number): Kind[] {
  const { origin, seconds } = bench;
  let number = 0;
  const ask = () => ({ path: `/img?seed=new-${process.pid}-${number++}` });
  return [
    {
      what: 'a new seed each',
      goal: `≥ ${(GOALS.renderedShare * most).toFixed(0)}/s`,
      server: 'serve',
      run: async () => roundOf(await load({ origin, connections: CONNECTIONS, seconds, ask })),
    },
    {
      what: `cached, while ${OVERLOAD} × as many new seeds are asked for`,
      goal: `p99 < ${GOALS.p99Ms} ms`,
      server: 'serve',
      run: () => probeInFlood(bench, most),
    },
  ];
}

const roundOf = ({ durationsMs, refused, errors, seconds }: Loaded): Round => ({
  perSecond: durationsMs.length / seconds,
  p99Ms: percentile(durationsMs, 0.99) ?? Number.NaN,
  count: durationsMs.length + refused + errors,
  refused,
  errors,
});

/** Cached answers while far more new seeds are asked for than can be rendered. */
async function probeInFlood({ origin, seconds }: Bench, most: number): Promise<Round> {
  const [probed, flooded] = await Promise.all([
    load({ origin, connections: 4, seconds, rate: PROBES, ask: avatars() }),
    flood({ origin, connections: FLOOD_CONNECTIONS, seconds, rate: Math.round(OVERLOAD * most) }),
  ]);
  const own = roundOf(probed);
  return {
    ...own,
    count: own.count + flooded.answered + flooded.refused + flooded.errors,
    refused: own.refused + flooded.refused,
    errors: own.errors + flooded.errors,
  };
}

function figures({ what, perSecond, p99Ms, cpuUs, refused, errors }: Row) {
  return {
    what,
    per_second: Number(median(perSecond).toFixed(1)),
    p99_ms: Number(median(p99Ms).toFixed(1)),
    cpu_us: Number(median(cpuUs).toFixed(0)),
    refused_503: refused,
    errors,
  };
}

function printTable(rows: readonly Row[], cpuMs: number): void {
  const spread = (values: readonly number[], digits: number) =>
    `${median([...values]).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
  const header = ['', 'answers/s', 'p99 ms', 'CPU µs', '503', 'errors', 'goal'];
  const body = rows.map(({ what, perSecond, p99Ms, cpuUs, refused, errors, goal }) => [
    what,
    spread(perSecond, 0),
    spread(p99Ms, 1),
    spread(cpuUs, 0),
    String(refused),
    String(errors),
    goal,
  ]);
  console.log(markdownTable([header, ...body], { alignDelimiters: false }));
  console.log(
    `\nMedian (lowest–highest); CPU of the server for each answer, 503 included. One new picture takes ${cpuMs.toFixed(1)} ms of CPU, HTTP and all.`,
  );
}

if (import.meta.main) await runCommand(main);
