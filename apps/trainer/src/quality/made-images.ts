/**
 * The images that are measured: rendered by the generator of a run, or read from a folder.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readNamedFile, userPath } from '@killme/command-line';
import { loadDataset } from '@killme/data';
import {
  GENERATOR_MANIFEST,
  type HostWeights,
  type LatentSpace,
  loadGeneratorFile,
  type Network,
  seedToLatent,
  TANH_RANGE,
  toNearestClass,
  toPixels,
  UserError,
  type ValueRange,
} from '@killme/model';
import { compileGenerator, renderLatents } from '@killme/model/inference';
import { toHostWeights } from '../gan/network-state.ts';
import { checkpointGenerator, readNewestCheckpoint } from '../run/checkpoint.ts';
import { RUNS_FOLDER, type RunFolder, runFolder } from '../run/folder.ts';
import { presetOf } from '../run/options.ts';
import { readRunRecord } from '../run/record.ts';
import type { ImageSet } from './image-set.ts';

/** Memory for the activations of a large generator is what bounds it. */
const BATCH = 8;

/** A generator on the host, and the words for where it is from. */
export interface TrainedGenerator {
  network: Network;
  weights: HostWeights;
  latent: LatentSpace;
  /** What black and white are in its output. */
  range: ValueRange;
  description: string;
}

/** What `--fake` stands for. */
export type MadeImages =
  | { kind: 'folder'; path: string }
  | { kind: 'generator'; generator: TrainedGenerator; run: RunFolder | undefined };

/**
 * @param given a run's name, a path of a run's folder or of a generator file, else a folder, .zip or
 *   .rar of images.
 * @throws UserError when there is nothing of the kind, or the run has no generator yet.
 */
export async function findMadeImages(given: string): Promise<MadeImages> {
  const path = userPath(given);
  if (existsSync(join(path, GENERATOR_MANIFEST))) {
    return { kind: 'generator', generator: await readGeneratorFolder(path), run: undefined };
  }
  const run = [runFolder(given), runFolder(basename(path), join(path, '..'))].find(({ options }) =>
    existsSync(options),
  );
  if (run) return { kind: 'generator', generator: await readRunGenerator(run), run };
  if (existsSync(path)) return { kind: 'folder', path };
  throw new UserError(
    `${given} is no run in ${RUNS_FOLDER}, and no folder, .zip or .rar at ${path}`,
  );
}

/** The newest checkpoint's generator; where it is of a preset that has changed, the exported one. */
async function readRunGenerator(run: RunFolder): Promise<TrainedGenerator> {
  const record = await readRunRecord(run);
  const preset = presetOf(record);
  const checkpoint = await readNewestCheckpoint(run.checkpoints, console.error);
  const exported = existsSync(join(run.generator, GENERATOR_MANIFEST));
  if (checkpoint) {
    try {
      const { generator: network, latent } = preset;
      const values = checkpointGenerator(checkpoint, network);
      const weights = toHostWeights(network, values);
      const description = `${run.name}, iteration ${checkpoint.iteration}`;
      return { network, weights, latent, range: TANH_RANGE, description };
    } catch (error) {
      if (!(error instanceof UserError) || !exported) throw error;
      console.error(`${error.message}; its exported generator is taken instead`);
    }
  }
  if (exported) return readGeneratorFolder(run.generator);
  throw new UserError(
    `the run "${run.name}" has no checkpoint yet: go on with it by npm run train -- --resume`,
  );
}

async function readGeneratorFolder(folder: string): Promise<TrainedGenerator> {
  const { network, weights, manifest } = await loadGeneratorFile((name) =>
    readNamedFile(join(folder, name)),
  );
  const { preset, latent, image, training } = manifest;
  checkSquareRgb(network, folder);
  const description = `${preset} in ${folder}, iteration ${training.iterations ?? 'unknown'}`;
  return { network, weights, latent, range: image.range, description };
}

/**
 * Generators of other programs may render anything; images are measured, and laid side by side, as square RGB ones.
 * @param what the generator is called
 * @throws UserError when it renders others.
 */
export function checkSquareRgb({ outputShape }: Network, what: string): void {
  const [height, width, channels] = outputShape;
  if (height === width && channels === 3) return;
  throw new UserError(
    `${what} renders images of ${width} × ${height} pixels in ${channels} channels: only square ones in RGB ` +
      'are measured',
  );
}

/**
 * The images of the seeds `0` … `count` − 1, as the edge renders them; on whatever engine is current.
 * @param progress gets the number of images so far.
 */
export async function renderSeeds(
  generator: Omit<TrainedGenerator, 'description'>,
  count: number,
  progress?: (count: number) => void,
): Promise<ImageSet> {
  const latents = Array.from({ length: count }, (_, i) =>
    seedToLatent(String(i), generator.latent),
  );
  return renderSet(generator, latents, progress);
}

/** The image of each latent, as the edge renders it, in their order; on whatever engine is current. */
export async function renderSet(
  { network, weights, latent: space, range }: Omit<TrainedGenerator, 'description'>,
  latents: readonly Float32Array[],
  progress: (count: number) => void = () => {},
): Promise<ImageSet> {
  const compiled = compileGenerator(network, weights);
  try {
    const [imageSize] = compiled.imageShape;
    const count = latents.length;
    const rendered = latents.map((latent) => toNearestClass(latent, space));
    const length = imageSize * imageSize * 3;
    const images = new Uint8Array(count * length);
    let done = 0;
    for await (const image of renderLatents(compiled, rendered, { batchSize: BATCH })) {
      images.set(toPixels(image, range), done * length);
      progress(++done);
    }
    return { count, imageSize, images };
  } finally {
    compiled.dispose();
  }
}

/** The images of a folder or archive, at a size. */
export async function readImages(path: string, imageSize: number): Promise<ImageSet> {
  return loadDataset({ path, imageSize, log: console.error });
}
