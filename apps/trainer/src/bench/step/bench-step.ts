/**
 * `npm run bench:step`: where the time of a training step goes: in JavaScript, in the calls of WebGPU,
 * in waiting for the device, and on the device.
 *
 * @module
 */
import { printRefusal } from '@killme/command-line';
import { type ImageSize, PRESET_NAMES, type PresetName } from '@killme/model/training';
import { Command, InvalidArgumentError, Option } from 'commander';
import { countUpTo, evenUpTo, imageSizeOption, MOST_IMAGES } from '../../commands/arguments.ts';
import { continueInDeno } from '../../engines/deno.ts';
import type { EngineName } from '../../engines/engine.ts';
import { NeedsDeno, startEngine } from '../../engines/start.ts';
import { type StepCase, stepCases } from '../../verify/step-cases.ts';
import type { GpuClock } from './gpu-clock.ts';
import { measureSteps } from './measure-steps.ts';
import { type StepRow, stepsTable } from './steps-table.ts';
import { kernelTable, workTable } from './work-table.ts';

interface Options {
  backend: EngineName;
  preset?: PresetName;
  imageSize?: ImageSize;
  wide?: true;
  batch?: number;
  iterations: number;
  count?: true;
  teraflops: number;
  terabytes: number;
}

const program = new Command('bench:step')
  .description('where the time of one training step goes')
  .addOption(
    new Option('--backend <NAME>', 'the engine')
      .choices(['webgpu', 'tensorflow', 'wasm'])
      .default('webgpu'),
  )
  .addOption(new Option('--preset <NAME>', 'the steps of this preset only').choices(PRESET_NAMES))
  .addOption(imageSizeOption('side of the images of --preset lite'))
  .option('--wide', "the presets' own networks; without it narrow ones, which need no arithmetic")
  .option(
    '--batch <N>',
    "images in an iteration, an even number; without it the preset's",
    evenUpTo(MOST_IMAGES),
  )
  .option('--iterations <N>', 'measured iterations of each step', countUpTo(1_000_000), 20)
  .option('--count', 'count what the steps compute and move, and take none (webgpu)')
  .option('--teraflops <N>', "the GPU's float32 rate for --count; that of an H200", parseRate, 67)
  .option('--terabytes <N>', "its memory's rate for --count, in TB/s", parseRate, 4.8)
  .action((options: Options) => (options.count ? count(options) : bench(options)));

async function bench(options: Options): Promise<void> {
  const { backend, wide, batch, iterations } = options;
  const engine = await startEngine(backend, () => {});
  const clock = await gpuClock(backend);
  const rows: StepRow[] = [];
  const print = () => {
    const networks = wide ? 'the presets’ networks' : 'narrow networks';
    console.log(`${engine.name} on ${engine.device}; ${networks}; medians of ${iterations}\n`);
    console.log(stepsTable(rows));
  };
  process.once('SIGINT', () => {
    print(); // what has been measured
    process.exit(130);
  });
  try {
    // Those as they are come last: on a GPU they take longest.
    for (const replay of backend === 'webgpu' ? [true, false] : [false]) {
      for (const step of casesOf(options)) {
        const size = batch ?? step.preset.training.batchSize;
        process.stderr.write(`${step.name}${replay ? ', replayed' : ''} …\n`);
        const times = await measureSteps(step, { batch: size, iterations, replay, clock });
        rows.push({ name: step.name, replay, batch: size, times });
      }
    }
  } finally {
    print();
  }
}

const casesOf = ({ preset, wide, imageSize }: Options) =>
  (preset ? [preset] : PRESET_NAMES).flatMap((name) =>
    stepCases(name, { narrow: !wide, imageSize }),
  );

async function count(options: Options): Promise<void> {
  const { batch, teraflops, terabytes } = options;
  await startEngine('webgpu', () => {});
  const { countSteps } = await import('./count-steps.ts'); // needs Deno's WebGPU
  const batchOf = ({ preset }: StepCase) => batch ?? preset.training.batchSize;
  const rows = [...countSteps(casesOf(options), batchOf)].map(([step, work]) => ({
    ...{ name: step.name, batch: batchOf(step), work },
  }));
  const rates = { teraflops, terabytes };
  console.log(`at ${teraflops} TFLOP/s and ${terabytes} TB/s\n\n${workTable(rows, rates)}`);
  for (const row of rows) console.log(`\n${row.name}\n\n${kernelTable(row, rates)}`);
}

async function gpuClock(backend: EngineName): Promise<GpuClock | undefined> {
  if (backend !== 'webgpu') return undefined;
  const tf = await import('@tensorflow/tfjs-core');
  const { startGpuClock } = await import('./gpu-clock.ts');
  return startGpuClock((tf.backend() as unknown as { device: GPUDevice }).device);
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate < Number.POSITIVE_INFINITY) return rate;
  throw new InvalidArgumentError('It must be a number above 0.');
}

try {
  await program.parseAsync();
  process.exit(process.exitCode ?? 0); // Threads of a backend may still be there.
} catch (error) {
  if (error instanceof NeedsDeno) await continueInDeno(error.deno);
  printRefusal(error);
  process.exit();
}
