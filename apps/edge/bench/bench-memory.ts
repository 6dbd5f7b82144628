/**
 * `npm run bench:memory`: what the worker's isolate holds, read from the real workerd's inspector.
 *
 *     node bench/bench-memory.ts [--preset article|lite|both] [--requests 500] [--largest] [--json]
 *
 * @module
 */
import { readWhole, runCommand } from '@killme/command-line';
import { markdownTable } from 'markdown-table';
import { readArguments } from '../scripts/arguments.ts';
import { type BenchPreset, choosePresets, folderOf } from './generator.ts';
import { type Isolate, type IsolateMemory, openIsolate, type Sample, total } from './isolate.ts';
import { LARGEST_REQUESTS, mixedRequests } from './mixed-requests.ts';
import { processMemory, type Server, startServer } from './server.ts';
import { describeMachine, megabytes } from './table.ts';

/** One generator, or both in one server. */
type Subject = BenchPreset | 'both';

/** What they may take, in MB of 10⁶ bytes; Cloudflare gives an isolate 128. */
const BOUNDS: Record<Subject, number> = { article: 110, lite: 48, both: 110 };

/** Requests under way at a time. */
const PARALLEL = 4;

/** Readings in the course of the requests, by which growth would show. */
const READINGS = 10;

interface Measured {
  preset: Subject;
  requests: number;
  started: IsolateMemory;
  loading: Sample;
  /** What the process grew by at its peak, its other isolates and compiled code included. */
  loadingProcess: number | undefined;
  serving: Sample;
  after: IsolateMemory;
  /** After a garbage collection, at each reading. */
  live: { requests: number; memory: IsolateMemory }[];
  largest: { path: string; sample: Sample }[];
}

async function main(): Promise<void> {
  const options = readArguments({
    preset: { type: 'string' },
    requests: { type: 'string', default: '500' },
    // Each of the largest answers too; the debugger makes wasm slow, so it takes minutes.
    largest: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const requests = readWhole('--requests', options.requests, { least: READINGS });
  if (!options.json) console.log(`${describeMachine()}; MB are 10⁶ bytes\n`);
  for (const preset of choosePresets(options.preset, 'both')) {
    const paths = options.largest ? LARGEST_REQUESTS : [];
    const measured = await measure({ preset, requests, paths });
    if (options.json) printJson(measured);
    else printTables(measured);
  }
}

async function measure({
  preset,
  requests,
  paths,
}: {
  preset: Subject;
  requests: number;
  /** Watched one by one after the others. */
  paths: readonly string[];
}): Promise<Measured> {
  const presets = preset === 'both' ? (['lite', 'article'] as const) : [preset];
  const server = await startServer(...presets.map(folderOf));
  try {
    const isolate = await openIsolate(server.inspectorAddress);
    const started = await isolate.read();
    const before = processMemory(server.processId);
    const loading = await isolate.watch(async () => {
      for (const model of presets) await get(server, `/img?seed=first&model=${model}`);
    });
    const { peak } = processMemory(server.processId);
    const { serving, live, after } = await serveMixed({ server, isolate, requests, presets });
    const largest: Measured['largest'] = [];
    for (const path of paths.flatMap((each) => presets.map((model) => `${each}&model=${model}`))) {
      largest.push({ path, sample: await isolate.watch(() => get(server, path)) });
    }
    isolate.close();
    return {
      ...{ preset, requests, started, loading, serving, after, live, largest },
      loadingProcess: peak === undefined ? undefined : peak - before.resident,
    };
  } finally {
    await server.stop();
  }
}

async function serveMixed({
  server,
  isolate,
  requests,
  presets,
}: {
  server: Server;
  isolate: Isolate;
  requests: number;
  presets: readonly BenchPreset[];
}) {
  const paths = mixedRequests(requests).map(
    (path, i) => `${path}&model=${presets[Math.floor(i / 10) % presets.length]}`,
  );
  const live: Measured['live'] = [];
  let serving: Sample = { heap: 0, wasm: 0, stack: [] };
  let after = serving as IsolateMemory;
  for (let reading = 0; reading < READINGS; reading++) {
    const [from, to] = [reading, reading + 1].map((n) => Math.floor((n * requests) / READINGS));
    const work = askAll(server, paths.slice(from, to));
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    while (!done) {
      const memory = await isolate.read();
      if (total(memory) > total(serving)) serving = { ...memory, stack: [] };
    }
    await finished;
    after = await isolate.read();
    live.push({ requests: to!, memory: await isolate.readLive() });
  }
  return { serving, live, after };
}

/** A few at a time, as a browser asks. */
async function askAll(server: Server, paths: readonly string[]): Promise<void> {
  const left = paths.values();
  const ask = async () => {
    for (const path of left) await get(server, path);
  };
  await Promise.all(Array.from({ length: PARALLEL }, ask));
}

async function get({ origin }: Server, path: string): Promise<void> {
  const response = await fetch(origin + path);
  const body = await response.arrayBuffer();
  if (!response.ok || body.byteLength === 0)
    throw new Error(`${path} was answered ${response.status}`);
}

function printJson({ preset, after, loading }: Measured): void {
  const line = {
    preset,
    heap_mb: megabytes(after.heap),
    wasm_mb: megabytes(after.wasm),
    peak_mb: megabytes(total(loading)),
  };
  console.log(JSON.stringify(line));
}

function printTables(measured: Measured): void {
  const { preset, requests, started, loading, loadingProcess, serving, after, live } = measured;
  const bound = BOUNDS[preset];
  const row = (name: string, memory: IsolateMemory, note = '') => [
    name,
    ...[memory.heap, memory.wasm, total(memory)].map((bytes) => megabytes(bytes).toFixed(1)),
    note,
  ];
  const verdict = (memory: IsolateMemory) =>
    `≤ ${bound}: ${megabytes(total(memory)) <= bound ? 'holds' : 'does not hold'}`;
  console.log(
    markdownTable([
      [preset, 'heap MB', 'wasm MB', 'together', 'bound'],
      row('started, nothing loaded', started),
      row('peak while loading, with the first image', loading, verdict(loading)),
      row(`after ${requests} mixed requests`, after, verdict(after)),
      row('the same without garbage', live.at(-1)!.memory),
      row('most seen between them', serving),
      ...measured.largest.map(({ path, sample }) => row(`peak of ${path}`, sample)),
    ]),
  );
  console.log(
    `\nAt the peak while loading: ${loading.stack.slice(0, 6).join(' < ') || 'no JavaScript ran'}.`,
  );
  if (loadingProcess !== undefined) {
    console.log(`The whole process grew by ${megabytes(loadingProcess)} MB at most while loading.`);
  }
  console.log('\nWithout garbage, as requests go on:\n');
  console.log(
    markdownTable([
      ['requests', 'heap MB', 'wasm MB', 'together'],
      ...live.map((at) => row(String(at.requests), at.memory)),
    ]),
  );
  console.log('');
}

if (import.meta.main) await runCommand(main);
