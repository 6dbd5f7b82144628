/**
 * What the article shows every 1,000 iterations: a 5×5 grid from one fixed set of latents, and a
 * strip of ten images on the line between the first two of them.
 *
 * @module
 */
import { join } from 'node:path';
import { writeFileWhole } from '@killme/command-line';
import {
  createRandom,
  type HostWeights,
  type LatentSpace,
  type Picture,
  randomLatents,
  TANH_RANGE,
  tile,
  toNearestClass,
  toPicture,
  walk,
} from '@killme/model';
import { compileGenerator, renderLatents } from '@killme/model/inference';
import { encode } from 'fast-png';
import type { Gan } from '../gan/gan.ts';
import { toHostWeights } from '../gan/network-state.ts';

/** Pictures in a row, and in a column, of a grid. */
export const GRID_SIDE = 5;
const STRIP_STEPS = 10;

/** The 25 latents that a run shows all its life. */
export function fixedLatents(seed: number, space: LatentSpace): Float32Array[] {
  const count = GRID_SIDE ** 2;
  const latents = randomLatents(createRandom(`${seed}/samples`), count, space);
  return Array.from({ length: count }, (_, i) =>
    latents.slice(i * space.size, (i + 1) * space.size),
  );
}

/** A picture, and the PNG file it was saved as. */
export interface Sample extends Picture {
  png: Uint8Array;
}

/** `grid-0012000.png`: names that sort in time. */
export function sampleFile(name: 'grid' | 'strip', iteration: number): string {
  return `${name}-${String(iteration).padStart(7, '0')}.png`;
}

/** Writes `grid-<iteration>.png` (5×5) and `strip-<iteration>.png` (10 in a row). */
export async function saveSamples(
  folder: string,
  iteration: number,
  gan: Gan,
  { latents, space }: { latents: readonly Float32Array[]; space: LatentSpace },
): Promise<{ grid: Sample; strip: Sample }> {
  const compiled = compileGenerator(gan.generator.network, await hostWeights(gan));
  const [height, width] = compiled.imageShape;
  try {
    const strip = walk({ from: latents[0]!, to: latents[1]!, steps: STRIP_STEPS }).map((latent) =>
      toNearestClass(latent, space),
    );
    const save = async (
      name: 'grid' | 'strip',
      latents: readonly Float32Array[],
      columns: number,
    ) => {
      const pictures: Picture[] = [];
      for await (const image of renderLatents(compiled, latents)) {
        pictures.push(toPicture(image, { width, height, channels: 3, range: TANH_RANGE }));
      }
      const picture = tile(pictures, columns);
      const sample = { ...picture, png: png(picture) };
      await writeFileWhole(join(folder, sampleFile(name, iteration)), sample.png);
      return sample;
    };
    return {
      grid: await save('grid', latents, GRID_SIDE),
      strip: await save('strip', strip, STRIP_STEPS),
    };
  } finally {
    compiled.dispose();
  }
}

/** The generator that is shown and exported, read from the device: the EMA where there is one. */
export async function readGenerator({ generator, ema }: Gan): Promise<Map<string, Float32Array>> {
  const entries = [...(ema ?? generator.weights)].map(
    async ([name, tensor]) => [name, await tensor.data<'float32'>()] as const,
  );
  return new Map(await Promise.all(entries));
}

/** The same, as inference takes them. */
export async function hostWeights(gan: Gan): Promise<HostWeights> {
  return toHostWeights(gan.generator.network, await readGenerator(gan));
}

function png({ width, height, data }: Picture): Uint8Array {
  return encode({ width, height, data, channels: 3, depth: 8 });
}
