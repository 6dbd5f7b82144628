/**
 * `npm run bench:train`: how long an iteration takes, of the article's script on plain tfjs, of ours
 * on each engine, and of Keras in Python; all in turns in one run, each in a process of its own.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { runCommand, userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { PRESET_NAMES, type PresetName } from '@killme/model/training';
import { Command, Option } from 'commander';
import { countUpTo, evenUpTo, MOST_IMAGES } from '../commands/arguments.ts';
import type { EngineName } from '../engines/engine.ts';
import { findTensorflow } from '../engines/tensorflow/location.ts';
import { findWebgpu } from '../engines/webgpu/adapter.ts';
import { type Contestant, type Entry, type Running, startContestant } from './contestant.ts';
import { ratiosOf, ratiosTable, timesTable } from './table.ts';

interface Options {
  batch: number;
  preset: PresetName;
  runs: number;
  engine?: EngineName[];
  /** False for --no-plain. */
  plain: boolean;
  /** False for --no-keras. */
  keras?: string | false;
  json?: true;
}

/** Plain tfjs at the article's 32 asks for more than the 4 GiB that wasm can address, and aborts. */
const PLAIN_WASM_BATCH = 4;

const program = new Command('bench:train')
  .description(
    "seconds for each iteration, wall and CPU, and peak memory: the article's script on tfjs's own layers (plain), " +
      'the trainer (ours), on each engine, and Keras in Python',
  )
  .option('--batch <N>', 'images in an iteration, an even number', evenUpTo(MOST_IMAGES), 32)
  .addOption(
    new Option('--preset <NAME>', 'the networks that ours trains; plain and Keras train article')
      .choices(PRESET_NAMES)
      .default('article'),
  )
  .option('--runs <N>', 'iterations of each, after one to warm up', countUpTo(1_000_000), 5)
  .addOption(
    new Option('--engine <NAME...>', 'without it those present, webgpu only with a GPU').choices([
      'tensorflow',
      'webgpu',
      'wasm',
    ]),
  )
  .option('--no-plain', 'leave plain tfjs out')
  .option('--keras <PYTHON>', 'a Python with Keras; without it python3 is tried')
  .option('--no-keras', 'leave Keras out')
  .option('--json', 'print one line of JSON instead of tables')
  .action(bench);

async function bench(options: Options): Promise<void> {
  const contestants = await enter(options);
  const note = options.json ? () => {} : (text: string) => process.stderr.write(text);
  const running: Running[] = [];
  try {
    for (const contestant of contestants) running.push(await startContestant(contestant));
    await takeTurns(running, options.runs, note);
  } finally {
    for (const { stop } of running) stop();
  }
  const entries = running.map(({ entry }) => entry);
  if (options.json) printJson(options, entries);
  else printTables(options, entries);
  if (entries.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

/** Round after round each takes one iteration: A B C, A B C, …; the first round is not counted. */
async function takeTurns(running: readonly Running[], runs: number, note: (text: string) => void) {
  for (let round = 0; round <= runs; round++) {
    note(round === 0 ? 'warming up …\n' : `round ${round} of ${runs}\n`);
    for (const { iterate } of running) await iterate({ measured: round > 0 });
  }
}

/** Who takes part. Those that are compared with each other stand side by side. */
async function enter({
  batch,
  preset,
  engine,
  plain: withPlain,
  keras,
}: Options): Promise<Contestant[]> {
  const engines = engine ?? (await presentEngines());
  await checkEngines(engines);
  const python = findKeras(keras);
  const contestants: Contestant[] = [];
  for (const name of engines) {
    const ours = { engine: name, implementation: 'ours', preset, batch } as const;
    if (!withPlain) {
      contestants.push(ours);
      continue;
    }
    const plainBatch = name === 'wasm' ? Math.min(batch, PLAIN_WASM_BATCH) : batch;
    const plain = {
      ...ours,
      implementation: 'plain',
      preset: 'article',
      batch: plainBatch,
    } as const;
    contestants.push(plain, { ...ours, batch: plainBatch });
    if (plainBatch !== batch) contestants.push(ours);
  }
  const compared = { implementation: 'Keras', preset: 'article', batch } as const;
  if (python !== undefined) contestants.push({ engine: 'python', ...compared, python });
  return contestants;
}

async function presentEngines(): Promise<EngineName[]> {
  const webgpu = await findWebgpu();
  return [
    ...(findTensorflow().available ? (['tensorflow'] as const) : []),
    ...(webgpu.available && !webgpu.software ? (['webgpu'] as const) : []),
    'wasm',
  ];
}

/** @throws UserError saying how to get an engine that was asked for. */
async function checkEngines(engines: readonly EngineName[]): Promise<void> {
  const searches = {
    tensorflow: findTensorflow,
    webgpu: findWebgpu,
    wasm: () => ({ available: true }) as const,
  };
  for (const name of engines) {
    const found = await searches[name]();
    if (!found.available) {
      throw new UserError(`${name} is not available: ${found.reason}. Mend it: ${found.remedy}`);
    }
  }
}

/** @returns a Python that has Keras; undefined where there is none, or none is wanted. */
function findKeras(asked: string | false | undefined): string | undefined {
  if (asked === false) return undefined;
  const python = asked?.includes('/') ? userPath(asked) : (asked ?? 'python3');
  const search = 'import importlib.util as u, sys; sys.exit(u.find_spec("keras") is None)';
  try {
    execFileSync(python, ['-c', search], { stdio: 'ignore' });
    return python;
  } catch {
    if (asked === undefined) return undefined;
    throw new UserError(`--keras ${asked} must be a Python in which "import keras" works`);
  }
}

function printTables({ batch, preset, runs }: Options, entries: readonly Entry[]): void {
  const { cpu, cores, node } = machine();
  console.log(
    `\nmedian of ${runs} in turns after one to warm up; ${cpu}, ${cores} cores, ${node}\n`,
  );
  console.log(timesTable(entries));
  const ratios = ratiosOf(entries);
  if (ratios.length > 0) {
    const networks = preset === 'article' ? '' : ` (${preset} against article: other networks)`;
    console.log(`\nratios, round by round${networks}:\n\n${ratiosTable(ratios)}`);
  }
  const ranPlainWasm = entries.some(
    ({ contestant }) => contestant.engine === 'wasm' && contestant.implementation === 'plain',
  );
  if (!ranPlainWasm) return;
  if (batch > PLAIN_WASM_BATCH) {
    console.log(
      `\nplain on wasm is measured at batch ${PLAIN_WASM_BATCH}: at 32 it needs more than the 4 GiB ` +
        'that wasm can address.',
    );
  }
  console.log(
    "\ntfjs's wasm backend lacks Conv2DBackpropFilter: plain composes it of operations it has.",
  );
}

function printJson({ batch, preset, runs }: Options, entries: readonly Entry[]): void {
  const name = ({ contestant: { engine, implementation } }: Entry) => ({ engine, implementation });
  const result = {
    ...{ batch, preset, runs, ...machine() },
    entries: entries.map((entry) => {
      const { contestant, device, seconds, cpuSeconds, peakBytes, failure } = entry;
      const { batch: own, preset: networks } = contestant;
      return {
        ...name(entry),
        networks,
        batch: own,
        device,
        seconds,
        cpuSeconds,
        peakBytes,
        failure,
      };
    }),
    ratios: ratiosOf(entries).map(({ ours, other, ...ratio }) => ({
      ...{ ours: name(ours), other: name(other), batch: ours.contestant.batch },
      ...ratio,
    })),
  };
  console.log(JSON.stringify(result));
}

function machine() {
  const cpu = cpus()[0]?.model ?? process.arch;
  return { cpu, cores: availableParallelism(), node: `Node ${process.versions.node}` };
}

await runCommand(() => program.parseAsync());
