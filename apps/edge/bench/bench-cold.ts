/**
 * `npm run bench:cold`: how large the worker is, how long it takes to start, and what the first
 * picture of a fresh workerd costs beside later ones.
 *
 *     node bench/bench-cold.ts [--preset article|lite] [--runs 5] [--json]
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { readWhole, runCommand } from '@killme/command-line';
import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import { z } from 'zod';
import { readArguments } from '../scripts/arguments.ts';
import { assembleAssets } from '../scripts/assemble.ts';
import { EDGE_FOLDER, offline, WRANGLER } from '../scripts/wrangler.ts';
import { nameFolder } from '../src/runtimes/named-folder.ts';
import { type BenchPreset, choosePresets, folderOf } from './generator.ts';
import { openInspector } from './inspector.ts';
import { type Server, startServer } from './server.ts';
import { describeMachine } from './table.ts';

const BUNDLE_BYTES = 1e6;
const START_MS = 100;
/** Warm pictures that the first one may take, beside the load. */
const COLD_PER_WARM = 3;

/** Pictures of which the median is what a warm one takes. */
const WARM_PICTURES = 15;

const PROFILER_START_MS = 200;

/** What wrangler makes of the worker. */
interface Bundle {
  gzipBytes: number;
  /** Of each run: the time in which the worker's modules were evaluated. */
  startMs: number[];
}

/** What fresh processes took; each list has an entry for each run. */
interface Pictures {
  preset: BenchPreset;
  /** The first request of a process: fetch, load and render. */
  coldMs: number[];
  /** In another process: from the arrival of its first request until it begins to render. */
  loadMs: number[];
  warmMs: number[];
  /** A request that does nothing, so what HTTP and wrangler's proxy take. */
  idleMs: number[];
}

async function main(): Promise<void> {
  const options = readArguments({
    preset: { type: 'string' },
    runs: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  });
  const runs = readWhole('--runs', options.runs, { least: 1 });
  if (!options.json) console.log(`${describeMachine()}; medians of ${runs} fresh processes\n`);
  const presets = choosePresets(options.preset);
  const bundle = await measureBundle(folderOf('lite'), runs);
  if (!options.json) printBundle(bundle);
  for (const preset of presets) {
    const pictures = await measurePictures(preset, folderOf(preset), runs);
    if (options.json) printJson(bundle, pictures);
    else printPictures(pictures);
  }
}

async function measureBundle(generator: string, runs: number): Promise<Bundle> {
  const folder = await mkdtemp(`${tmpdir()}/killme-bundle-`);
  try {
    await assembleAssets({ generators: [nameFolder(generator)] }, `${folder}/assets`);
    const worker = `${folder}/worker.bundle`;
    const printed = wrangler(
      'deploy',
      '--dry-run',
      '--outfile',
      worker,
      '--assets',
      `${folder}/assets`,
    );
    const kib = /gzip: ([\d.]+) KiB/.exec(printed)?.[1];
    if (kib === undefined)
      throw new Error(`wrangler does not say how large the worker is: ${printed}`);
    const startMs: number[] = [];
    for (let run = 0; run < runs; run++) {
      const profile = `${folder}/${run}.cpuprofile`;
      wrangler('check', 'startup', '--worker', worker, '--outfile', profile);
      startMs.push(activeMs(JSON.parse(await readFile(profile, 'utf8'))));
    }
    return { gzipBytes: Number(kib) * 1024, startMs };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs wrangler, offline. @returns what it printed. */
function wrangler(...args: readonly string[]): string {
  return execFileSync(process.execPath, [WRANGLER, ...args], {
    cwd: EDGE_FOLDER,
    encoding: 'utf8',
    env: offline(),
  });
}

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string() }),
      children: z.array(z.number()).default([]),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

type Profile = z.infer<typeof profileSchema>;

const isIdle = (name: string) => name === '(idle)' || name === '(program)';

/** The time of a V8 CPU profile in which the CPU was not idle. */
function activeMs(given: unknown): number {
  const { nodes, samples, timeDeltas } = profileSchema.parse(given);
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  const microseconds = timeDeltas.reduce(
    (sum, delta, i) => sum + (names.get(samples[i]!) === '(idle)' ? 0 : delta),
    0,
  );
  return microseconds / 1000;
}

/**
 * No request loads the weights without rendering, so V8's profiler says when rendering begins: at the
 * first sample in the generator's `render`.
 */
async function measureLoad({ origin, inspectorAddress }: Server): Promise<number> {
  const inspector = await openInspector(inspectorAddress);
  for (const method of ['Profiler.enable', 'Profiler.start']) {
    // workerd does it, but does not always say so.
    inspector.send(method, {}, z.unknown()).catch(() => undefined);
  }
  await wait(PROFILER_START_MS);
  await timeRequest(`${origin}/img?seed=first`);
  const { profile } = await inspector.send(
    'Profiler.stop',
    {},
    z.object({ profile: profileSchema }),
  );
  inspector.close();
  return untilCalledMs(profile, 'render');
}

/** From the first sample in any JavaScript until the first in a function of that name. */
function untilCalledMs({ nodes, samples, timeDeltas }: Profile, name: string): number {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const below = (ids: readonly number[]): number[] =>
    ids.flatMap((id) => [id, ...below(byId.get(id)?.children ?? [])]);
  const called = new Set(
    below(nodes.filter(({ callFrame }) => callFrame.functionName === name).map(({ id }) => id)),
  );
  const begin = samples.findIndex((id) => !isIdle(byId.get(id)?.callFrame.functionName ?? ''));
  const end = samples.findIndex((id) => called.has(id));
  if (end < 0) throw new Error(`the profile of the first request has no function ${name}`);
  return timeDeltas.slice(begin + 1, end + 1).reduce((sum, delta) => sum + delta, 0) / 1000;
}

async function measurePictures(
  preset: BenchPreset,
  folder: string,
  runs: number,
): Promise<Pictures> {
  const pictures: Pictures = {
    ...{ preset, coldMs: [], loadMs: [], warmMs: [], idleMs: [] },
  };
  for (let run = 0; run < runs; run++) {
    const cold = await startServer(folder);
    pictures.coldMs.push(await timeRequest(`${cold.origin}/img?seed=cold`));
    await cold.stop();

    const warm = await startServer(folder);
    pictures.loadMs.push(await measureLoad(warm));
    pictures.warmMs.push(await medianOf((i) => `${warm.origin}/img?seed=warm-${i}`));
    pictures.idleMs.push(await medianOf(() => `${warm.origin}/healthz`));
    await warm.stop();
  }
  return pictures;
}

async function medianOf(address: (i: number) => string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < WARM_PICTURES; i++) times.push(await timeRequest(address(i)));
  return median(times);
}

async function timeRequest(address: string): Promise<number> {
  const startMs = performance.now();
  const response = await fetch(address);
  await response.arrayBuffer();
  const durationMs = performance.now() - startMs;
  if (!response.ok) throw new Error(`${address} was answered ${response.status}`);
  return durationMs;
}

function summarize({ coldMs, loadMs, warmMs, idleMs }: Pictures) {
  const [cold, load, warm, idle] = [coldMs, loadMs, warmMs, idleMs].map(median);
  return { cold: cold!, load: load!, warm: warm!, idle: idle! };
}

const tenths = (value: number) => Number(value.toFixed(1));

function printJson({ gzipBytes, startMs }: Bundle, pictures: Pictures): void {
  const { cold, load, warm } = summarize(pictures);
  const line = {
    preset: pictures.preset,
    gzip_kb: tenths(gzipBytes / 1000),
    start_ms: tenths(median(startMs)),
    cold_ms: tenths(cold),
    load_ms: tenths(load),
    warm_ms: tenths(warm),
  };
  console.log(JSON.stringify(line));
}

const range = (values: readonly number[]) =>
  `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`;

const verdict = (value: number, bound: number, unit: string) =>
  `≤ ${bound.toFixed(0)} ${unit}: ${value <= bound ? 'holds' : 'does not hold'}`;

function printBundle({ gzipBytes, startMs }: Bundle): void {
  const kilobytes = gzipBytes / 1000;
  console.log(
    markdownTable([
      ['worker', 'median', 'lowest to highest', 'bound'],
      [
        'script and wasm, gzip',
        `${kilobytes.toFixed(0)} kB`,
        '',
        verdict(kilobytes, BUNDLE_BYTES / 1000, 'kB'),
      ],
      [
        'start-up (module evaluation)',
        `${median(startMs).toFixed(1)} ms`,
        range(startMs),
        verdict(median(startMs), START_MS, 'ms'),
      ],
    ]),
  );
  console.log('');
}

function printPictures(pictures: Pictures): void {
  const { cold, load, warm, idle } = summarize(pictures);
  const row = (name: string, value: number, values: readonly number[], bound = '') => [
    name,
    value.toFixed(1),
    range(values),
    bound,
  ];
  const coldBound = verdict(cold, COLD_PER_WARM * warm + load, 'ms (3 warm + load)');
  console.log(
    markdownTable([
      [pictures.preset, 'ms', 'lowest to highest', 'bound'],
      row('first picture of a fresh worker', cold, pictures.coldMs, coldBound),
      row('fetching and loading the weights', load, pictures.loadMs),
      row('warm picture, a new seed each', warm, pictures.warmMs),
      row('a request that does nothing', idle, pictures.idleMs),
    ]),
  );
  console.log('');
}

if (import.meta.main) await runCommand(main);
