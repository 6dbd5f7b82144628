/**
 * `npm run project`: the latents of given pictures, as files and as addresses.
 *
 * @module
 */

import { mkdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { explainFileError, readNamedFile, writeFileWhole } from '@killme/command-line';
import { decodeImage, ImageFault } from '@killme/data';
import {
  decodeWeight,
  encodeLatent,
  type GeneratorFile,
  type LatentSpace,
  loadGeneratorFile,
  type Network,
  type Picture,
  TANH_RANGE,
  tile,
  toNearestClass,
  toPicture,
  UserError,
  walk,
} from '@killme/model';
import { renderLatents } from '@killme/model/inference';
import { applyNetwork } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { encode } from 'fast-png';
import { type EngineChoice, startEngine } from '../engines/start.ts';
import { generatorFiles, readTrainedRun, type TrainedRun } from '../export/export.ts';
import type { PlacedNetwork } from '../gan/network-state.ts';
import type { RunFolder } from '../run/folder.ts';
import { presetOf } from '../run/options.ts';
import { readRunRecord } from '../run/record.ts';
import { type Projection, type ProjectionNetworks, projectImage } from './projection.ts';

const WALK_STEPS = 10;

/** Seconds between lines that say how far it is. */
const SAY_EVERY = 15;

export interface ProjectOptions {
  /** Absolute paths of one picture or two. */
  pictures: readonly string[];
  folder: RunFolder;
  steps: number;
  starts: number;
  seed: number;
  backend: EngineChoice;
  /** Absolute, the latent file of a single picture; without it one in the run's folder. */
  output: string | undefined;
}

/** A picture whose latent is looked for. */
interface Original extends Picture {
  path: string;
  /** Of its files, without ending. */
  target: string;
}

/**
 * Finds the latent of each picture, and writes for each a latent file and, beside it, a PNG of the
 * picture and of what the generator makes of the latent; for two also a strip of the walk between
 * them. Prints the addresses at which the edge renders them.
 *
 * The generator is the one that an export of the run gives the edge, of its best checkpoint and with 8-bit
 * kernels, so that the latents are those of what is served.
 *
 * @throws UserError when a picture cannot be read, or the run has no checkpoint.
 */
export async function project(options: ProjectOptions): Promise<void> {
  const { folder, pictures, backend, steps, starts, seed } = options;
  const { imageSize } = presetOf(await readRunRecord(folder));
  const originals = await Promise.all(
    pictures.map((path) => readOriginal(path, imageSize, options)),
  );
  checkTargets(originals);
  await startEngine(backend, console.log);
  const run = await readTrainedRun(folder);
  const { file, ...networks } = await placeNetworks(run);
  const { generator } = networks;
  console.log(`generator: run ${folder.name}, iteration ${run.iterations}`);
  const space = run.preset.latent;
  const found: Float32Array[] = [];
  for (const original of originals) {
    const image = toTensor(original);
    const progress = sayProgress(basename(original.path), steps);
    const search = { space, steps, starts, seed, progress };
    const projection = await projectImage(networks, image, search);
    image.dispose();
    const made = (await renderPictures(generator, [projection.latent]))[0]!;
    await writeProjection({ original, made, projection, file, space });
    found.push(projection.latent);
  }
  if (originals.length === 2) await writeWalk({ generator, space }, originals, found);
  const placed = [generator, networks.discriminator, networks.encoder];
  tf.dispose(placed.flatMap((one) => (one ? [...one.weights.values()] : [])));
}

async function readOriginal(
  path: string,
  size: number,
  { folder, output }: ProjectOptions,
): Promise<Original> {
  const bytes = await readNamedFile(path);
  try {
    const data = (await decodeImage(bytes, { size })).frames[0]!;
    const target = withoutEnding(output ?? join(folder.root, 'projected', basename(path)));
    return { width: size, height: size, channels: 3, data, path, target };
  } catch (error) {
    if (error instanceof ImageFault) throw new UserError(`${path}: ${error.message}`);
    throw error;
  }
}

/** @throws UserError where a file to write is a picture that was given, or is to be written twice. */
function checkTargets(originals: readonly Original[]): void {
  for (const { path, target } of originals) {
    if (originals.some((original) => original.path === `${target}.png`)) {
      throw new UserError(
        `${target}.png would be written over the picture itself: give another --output`,
      );
    }
    const double = originals.find((other) => other.path !== path && other.target === target);
    if (double) {
      throw new UserError(
        `${path} and ${double.path} would both be written to ${target}.json: rename one of them`,
      );
    }
  }
}

const withoutEnding = (path: string) => join(dirname(path), basename(path, extname(path)));

async function placeNetworks(
  run: TrainedRun,
): Promise<ProjectionNetworks & { file: GeneratorFile }> {
  const files = await generatorFiles(run);
  const file = await loadGeneratorFile(async (name) => new Uint8Array(files.get(name)!));
  const place = (network: Network, valuesOf: (name: string) => Float32Array): PlacedNetwork => ({
    network,
    weights: new Map(
      network.weights.map(({ name, shape }) => [name, tf.tensor(valuesOf(name), [...shape])]),
    ),
  });
  return {
    file,
    generator: place(file.network, (name) => decodeWeight(file.weights.get(name)!)),
    discriminator: place(run.preset.discriminator, (name) => run.discriminator.get(name)!),
    encoder: run.preset.encoder && place(run.preset.encoder, (name) => run.encoder!.get(name)!),
  };
}

/** `[1, height, width, 3]` in [-1, 1]. */
function toTensor({ width, height, data }: Picture): tf.Tensor4D {
  const values = Float32Array.from(data, (level) => (level - 127.5) / 127.5);
  return tf.tensor4d(values, [1, height, width, 3]);
}

async function renderPictures(
  { network, weights }: PlacedNetwork,
  latents: readonly Float32Array[],
): Promise<Picture[]> {
  const [height, width] = network.outputShape as [number, number];
  const generate = (z: Float32Array, count: number) =>
    tf.tidy(() =>
      applyNetwork(network, weights, tf.tensor2d(z, [count, z.length / count]), {
        training: false,
      }),
    );
  const pictures: Picture[] = [];
  for await (const image of renderLatents({ generate }, latents)) {
    pictures.push(toPicture(image, { width, height, channels: 3, range: TANH_RANGE }));
  }
  return pictures;
}

async function writeProjection({
  original,
  made,
  projection: { latent, loss },
  file,
  space,
}: {
  original: Original;
  made: Picture;
  projection: Projection;
  file: GeneratorFile;
  space: LatentSpace;
}): Promise<void> {
  const off = meanDifference(original, made);
  const z = encodeLatent(latent);
  const record = {
    format: 'killme-latent',
    version: 1,
    picture: basename(original.path),
    generator: file.hash,
    iterations: file.manifest.training.iterations,
    latent: space,
    loss,
    meanDifference: off,
    z,
  };
  const { target } = original;
  await makeFolder(dirname(target));
  await writeFileWhole(`${target}.json`, `${JSON.stringify(record, null, 2)}\n`);
  await writeFileWhole(`${target}.png`, toPng(tile([original, made], 2)));
  console.log(
    `${basename(original.path)}: loss ${loss.toFixed(4)}, ${off.toFixed(1)} of 255 levels off in the mean`,
  );
  console.log(`  ${target}.json`);
  console.log(`  ${target}.png: the picture, and what the generator makes of its latent`);
  console.log(`  /img?z=${z}`);
}

/** Levels of 0 … 255, the mean over pixels and colours. */
function meanDifference(a: Picture, b: Picture): number {
  return a.data.reduce((sum, level, i) => sum + Math.abs(level - b.data[i]!), 0) / a.data.length;
}

async function writeWalk(
  { generator, space }: { generator: PlacedNetwork; space: LatentSpace },
  [a, b]: readonly Original[],
  [from, to]: readonly Float32Array[],
): Promise<void> {
  const latents = walk({ from: from!, to: to!, steps: WALK_STEPS }).map((latent) =>
    toNearestClass(latent, space),
  );
  const path = `${a!.target}-to-${basename(b!.target)}.png`;
  await writeFileWhole(path, toPng(tile(await renderPictures(generator, latents), WALK_STEPS)));
  console.log(`the walk between them:\n  ${path}`);
  console.log(`  /morph?zfrom=${encodeLatent(from!)}&zto=${encodeLatent(to!)}`);
}

const toPng = ({ width, height, data }: Picture): Uint8Array =>
  encode({ width, height, data, channels: 3, depth: 8 });

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw explainFileError(error, path);
  });
}

function sayProgress(name: string, steps: number): (step: number) => void {
  let reported = performance.now();
  return (step) => {
    if (performance.now() - reported < SAY_EVERY * 1000) return;
    reported = performance.now();
    console.log(`${name}: step ${Math.floor(step)} of ${steps}`);
  };
}
