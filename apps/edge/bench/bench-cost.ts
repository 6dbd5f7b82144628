/**
 * `npm run bench:cost`: what rendering, resampling and encoding take of the CPU, beside what the
 * scheduler estimates of them before it accepts a request (render-cost.ts, cost.ts).
 *
 *     node bench/bench-cost.ts [--rounds 7] [--json]
 *
 * @module
 */
import process from 'node:process';
import { readWhole, runCommand } from '@killme/command-line';
import {
  articleGenerator,
  crossFade,
  liteGenerator,
  type Picture,
  seedToLatent,
} from '@killme/model';
import { markdownTable } from 'markdown-table';
import { readArguments } from '../scripts/arguments.ts';
import { openGenerator } from '../src/generator/generator.ts';
import { resample } from '../src/images/resample.ts';
import { webpEncoder } from '../src/images/webp.ts';
import { createApp, diskOptions, SHIPPED_GENERATORS } from '../src/index.ts';
import { OVERHEAD_MS, type Step, stepMs } from '../src/render/cost.ts';
import { encode } from '../src/render/encode.ts';
import type { Output } from '../src/render/plan.ts';
import { area } from '../src/render/size.ts';
import { compileBinaries, compileWebpBinary, folderReader } from '../src/runtimes/disk.ts';
import { randomGeneratorFiles } from '../src/testing/index.ts';
import { folderOf } from './generator.ts';
import { describeMachine } from './table.ts';

/** Longer sides of pictures: the smallest, the largest of a walk of 64, and the largest. */
const SIDES = [64, 221, 512];

/** Of a walk; one of 64 takes as much for each. */
const FRAMES = 8;

/** V8 compiles what runs often. */
const WARM_UP_ROUNDS = 3;

interface Measured {
  what: string;
  /** Milliseconds; the least of all rounds, as what other programs do makes it longer. */
  cpu: number;
  estimate: number;
}

async function main(): Promise<void> {
  const options = readArguments({
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  });
  const rounds = readWhole('--rounds', options.rounds, { least: 1 });
  if (!options.json) console.log(`${describeMachine()}; CPU ms, the least of ${rounds} rounds\n`);
  const measured = [
    await measureOverhead(rounds),
    ...(await measureRendering(rounds)),
    ...(await measureEncoding(rounds)),
  ];
  if (options.json) for (const entry of measured) console.log(JSON.stringify(entry));
  else printTable(measured);
}

/** Everything about a request but its picture: HEAD needs none. */
async function measureOverhead(rounds: number): Promise<Measured> {
  const app = createApp(diskOptions(SHIPPED_GENERATORS.slice(0, 1)));
  const requests = 50;
  let seed = 0;
  const ask = async () => {
    for (let i = 0; i < requests; i++) await app.request(`/img?seed=${seed++}`, { method: 'HEAD' });
  };
  const cpu = (await leastCpuMs(ask, rounds)) / requests;
  return { what: 'a request without its picture', cpu, estimate: OVERHEAD_MS };
}

/** Each network in each arithmetic; its weights do not matter. */
async function measureRendering(rounds: number): Promise<Measured[]> {
  const measured: Measured[] = [];
  const networks = { article: articleGenerator(), lite: liteGenerator() };
  for (const [name, network] of Object.entries(networks)) {
    for (const encoding of ['int8', 'float16'] as const) {
      const files = await randomGeneratorFiles({ network, encoding, imageSize: 128 });
      const { render, renderMs, latentSpace } = await openGenerator({
        readFile: async (file) => files.get(file)!,
        loadBinaries: compileBinaries,
      });
      const latent = seedToLatent('cost', latentSpace);
      const cpu = await leastCpuMs(() => render(latent), rounds);
      measured.push({ what: `${name}, ${encoding}: a picture`, cpu, estimate: renderMs });
    }
  }
  return measured;
}

/** Of the shipped `article`, whose pictures compress worst. */
async function measureEncoding(rounds: number): Promise<Measured[]> {
  const generator = await openGenerator({
    readFile: folderReader(folderOf('article')),
    loadBinaries: compileBinaries,
  });
  const seeds = Array.from({ length: FRAMES }, (_, i) => `cost-${i}`);
  const pictures = seeds.map((seed) => generator.render(seedToLatent(seed, generator.latentSpace)));
  const measured: Measured[] = [];
  for (const side of SIDES) {
    const size = { width: side, height: side };
    const resized: Picture[] = [];
    for (const picture of pictures) resized.push(await resample(picture, size));
    const add = async (step: Step, count: number, work: () => unknown) => {
      const cpu = (await leastCpuMs(work, rounds)) / count;
      measured.push({ what: `${side}²: ${step}`, cpu, estimate: stepMs(step, 1, area(size)) });
    };
    await add('resample', 1, () => resample(pictures[0]!, size));
    await add('fade', 1, () => crossFade(resized[0]!, resized[1]!, 0.3));
    for (const output of outputsOf(resized)) {
      const isOne = output.format === 'png' || output.format === 'webp';
      await add(output.format, isOne ? 1 : FRAMES, () => encode(output, resized, ENCODING));
    }
  }
  return measured;
}

const ENCODING = {
  pause: async () => undefined,
  encodeWebp: webpEncoder(compileWebpBinary),
  metadata: undefined,
};

/** Each format, with what a route would make of the pictures. */
const outputsOf = (pictures: readonly Picture[]): Output[] => [
  ...(['png', 'webp'] as const).map((format) => ({ format, compose: () => pictures[0]! })),
  ...(['apng', 'gif'] as const).map((format) => ({
    format,
    compose: () => ({ frames: pictures, frameMs: 100, repeat: true }),
  })),
  { format: 'json', compose: () => pictures.map((picture, position) => ({ position, picture })) },
];

/** CPU time of this process for the work, of the round that took the least. */
async function leastCpuMs(work: () => unknown, rounds: number): Promise<number> {
  let least = Infinity;
  for (let i = -WARM_UP_ROUNDS; i < rounds; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    if (i >= 0) least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

function printTable(measured: readonly Measured[]): void {
  const rows = measured.map(({ what, cpu, estimate }) => [
    what,
    cpu.toFixed(2),
    estimate.toFixed(2),
    (cpu / estimate).toFixed(2),
  ]);
  const header = ['', 'CPU', 'estimate', 'CPU / estimate'];
  console.log(markdownTable([header, ...rows], { alignDelimiters: false }));
}

if (import.meta.main) await runCommand(main);
