/**
 * `npm run bench:inference`: how long one picture takes, ours beside other engines with the same
 * weights, each on one thread, in turns.
 *
 *     node bench/bench-inference.ts [--preset article|lite] [--rounds 15] [--python PROGRAM] [--json]
 *
 * A Python with onnxruntime and onnx makes an int8 model for onnxruntime; without one that row is omitted.
 *
 * @module
 */
import { readWhole, runCommand } from '@killme/command-line';
import { decodeWeight, type HostWeights, loadGeneratorFile, seedToLatent } from '@killme/model';
import { writeOnnx } from '@killme/model/onnx';
import * as tf from '@tensorflow/tfjs-core';
import { markdownTable } from 'markdown-table';
import * as onnxWeb from 'onnxruntime-web';
import { median } from 'simple-statistics';
import { readArguments } from '../scripts/arguments.ts';
import { openGenerator } from '../src/generator/generator.ts';
import { encodePng } from '../src/images/png.ts';
import { compileBinaries, folderReader } from '../src/runtimes/disk.ts';
import { type BenchPreset, choosePresets, folderOf } from './generator.ts';
import { quantizeOnnx } from './onnx-int8.ts';
import { nativeOnnxRuntime } from './onnxruntime-native.ts';
import { plainGenerator } from './plain-generator.ts';
import { describeMachine } from './table.ts';

const WARM_UP_ROUNDS = 3;

/** With which the int8 model's ranges are measured. */
const CALIBRATION_LATENTS = 64;

/** Pictures of the walk that is timed. */
const WALK = 10;

/** How far our integers may be from the others' float32, in levels of 255 (docs/serving-figures.md: 60 dB and more). */
const MOST_LEVELS = 4;

interface Contestant {
  name: string;
  /** Renders the picture of a latent. @returns its numbers in [-1, 1], or its pixels. */
  render(latent: Float32Array): Promise<ArrayLike<number>> | ArrayLike<number>;
}

async function main(): Promise<void> {
  const options = readArguments({
    preset: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    python: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const rounds = readWhole('--rounds', options.rounds, { least: 1 });
  // One line of JSON is of one preset.
  const presets = choosePresets(options.preset ?? (options.json ? 'article' : undefined));
  if (!options.json) console.log(`${describeMachine()}; one thread each, ${rounds} rounds\n`);
  for (const preset of presets) {
    const { times, psnr } = await race(folderOf(preset), { rounds, python: options.python });
    if (options.json) printJson(times);
    else printTable(preset, times);
    if (!options.json && psnr !== undefined) {
      console.log(`The int8 model’s pictures have a PSNR of ${psnr.toFixed(1)} dB to ours\n`);
    }
  }
}

interface Race {
  /** Milliseconds of each round, by contestant. */
  times: Map<string, number[]>;
  /** Of the int8 model's picture to ours, in decibels, where it takes part. */
  psnr: number | undefined;
}

async function race(
  folder: string,
  { rounds, python }: { rounds: number; python: string | undefined },
): Promise<Race> {
  const readFile = folderReader(folder);
  const { network, weights } = await loadGeneratorFile(readFile);
  const ours = await openGenerator({ readFile, loadBinaries: compileBinaries });
  const plain = plainGenerator(network, weights);
  const model = writeOnnx(network, decodeAll(weights));
  const contestants: Contestant[] = [
    { name: 'ours', render: (latent) => ours.render(latent).data },
    { name: 'tfjs', render: (latent) => read(plain(latent)) },
    { name: 'ort_web', render: await onnxContestant(onnxWeb, model) },
  ];
  const native = await nativeOnnxRuntime();
  if (native) {
    contestants.push({ name: 'ort_native', render: await onnxContestant(native, model) });
  }
  const latents = Array.from({ length: WALK }, (_, i) => seedToLatent(`${i}`, ours.latentSpace));
  await compareImages(contestants, latents[0]!);
  let psnr: number | undefined;
  if (native && python !== undefined) {
    const calibration = Array.from({ length: CALIBRATION_LATENTS }, (_, i) =>
      seedToLatent(`calibration-${i}`, ours.latentSpace),
    );
    const int8 = await quantizeOnnx(model, { python, latents: calibration });
    const render = await onnxContestant(native, int8);
    contestants.push({ name: 'ort_int8', render });
    psnr = psnrOf(await render(latents[0]!), ours.render(latents[0]!).data);
  }
  const times = new Map<string, number[]>();
  const record = (name: string, startMs: number, pictures = 1) => {
    const durationMs = (performance.now() - startMs) / pictures;
    times.set(name, [...(times.get(name) ?? []), durationMs]);
  };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    if (round === 0) times.clear();
    const latent = latents[(round + WARM_UP_ROUNDS) % WALK]!;
    for (const { name, render } of contestants) {
      const startMs = performance.now();
      await render(latent);
      record(name, startMs);
    }
    const picture = ours.render(latent);
    let startMs = performance.now();
    await encodePng(picture);
    record('png', startMs);
    startMs = performance.now();
    for (const step of latents) ours.render(step);
    record('walk', startMs, WALK);
  }
  return { times, psnr };
}

const decodeAll = (weights: HostWeights) =>
  new Map([...weights].map(([name, weight]) => [name, decodeWeight(weight)]));

/** Of numbers in [-1, 1] to pixels, in decibels. */
function psnrOf(values: ArrayLike<number>, pixels: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < pixels.length; i++) {
    squares += (pixels[i]! - (values[i]! * 127.5 + 127.5)) ** 2;
  }
  return 10 * Math.log10(255 ** 2 / (squares / pixels.length));
}

/** Who does not render the same picture does not take part. @throws Error saying by how much it differs. */
async function compareImages(contestants: Contestant[], latent: Float32Array): Promise<void> {
  const [ours, ...others] = contestants;
  const pixels = await ours!.render(latent);
  for (const { name, render } of others) {
    const values = await render(latent);
    for (let i = 0; i < pixels.length; i++) {
      const differs = Math.abs(pixels[i]! - (values[i]! * 127.5 + 127.5));
      if (!(differs < MOST_LEVELS))
        throw new Error(`${name} renders value ${i} ${differs} levels away`);
    }
  }
}

function read(image: tf.Tensor): Float32Array {
  const values = image.dataSync<'float32'>();
  tf.dispose(image);
  return values;
}

async function onnxContestant(
  { InferenceSession, Tensor, env }: typeof onnxWeb,
  model: Uint8Array,
): Promise<Contestant['render']> {
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  return async (latent) => {
    const { y } = await session.run({ x: new Tensor('float32', latent, [1, latent.length]) });
    return y!.data as Float32Array;
  };
}

const ENGINES: Record<string, string> = {
  ours: 'ours, to pixels',
  walk: `ours, each of a walk of ${WALK}`,
  png: 'PNG of it',
  tfjs: 'tfjs wasm, the layers as they stand',
  ort_web: 'onnxruntime-web wasm',
  ort_native: 'onnxruntime native',
  ort_int8: 'onnxruntime native, int8 model',
};

function printTable(preset: BenchPreset, times: Map<string, number[]>): void {
  const ours = times.get('ours')!;
  const rows = Object.entries(ENGINES).flatMap(([name, title]) => {
    const values = times.get(name);
    if (!values) return [];
    const ratio = median(values.map((value, i) => ours[i]! / value));
    return [
      [title, milliseconds(median(values)), milliseconds(Math.min(...values)), ratio.toFixed(2)],
    ];
  });
  console.log(`Preset ${preset}\n`);
  console.log(`${markdownTable([['', 'median ms', 'least ms', 'ours / it'], ...rows])}\n`);
}

function printJson(times: Map<string, number[]>): void {
  const medianOf = (name: string) => {
    const values = times.get(name);
    return values ? Number(median(values).toFixed(2)) : null;
  };
  console.log(
    JSON.stringify({
      ours_ms: medianOf('ours'),
      tfjs_ms: medianOf('tfjs'),
      ort_web_ms: medianOf('ort_web'),
      ort_native_ms: medianOf('ort_native'),
      ort_int8_ms: medianOf('ort_int8'),
    }),
  );
}

const milliseconds = (value: number) => value.toFixed(value < 10 ? 2 : 1);

await runCommand(main);
