import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dense, packGenerator, reshape, sequential, type ValueRange } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGrids } from './grids.ts';
import { findMadeImages, renderSeeds } from './made-images.ts';
import { measureQuality } from './measure-quality.ts';

let root: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  root = await mkdtemp(join(tmpdir(), 'killme-made-'));
});
afterAll(() => rm(root, { recursive: true }));

/** The file of a generator whose images all are one: of the numbers 0, 0.25, 0.5, 0.75, again and again. */
async function writeGenerator(shape: [number, number, number], range: ValueRange) {
  const folder = await mkdtemp(join(root, 'generator-'));
  const numbers = shape[0] * shape[1] * shape[2];
  const network = sequential('generator', [2], [dense(numbers), reshape(...shape)]);
  const weights = new Map([
    ['dense/kernel', new Float32Array(2 * numbers)],
    ['dense/bias', Float32Array.from({ length: numbers }, (_, i) => (i % 4) / 4)],
  ]);
  const latent = { size: 2, distribution: 'normal' } as const;
  const training = { dataset: 'none', engine: 'none' };
  const facts = { preset: 'imported', latent, classes: [], range, training };
  const files = await packGenerator({ network, weights, encoding: 'float32', facts });
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  return folder;
}

const measured = (fake: string) =>
  measureQuality({ fake, count: 12, seed: 0, backend: 'wasm', json: true });

describe('images of a generator file', () => {
  it.each([
    ['of sigmoid', [0, 1], [0, 64, 128, 191]],
    ['of tanh', [-1, 1], [128, 159, 191, 223]],
  ] as const)('are seen in its range, here that %s', async (_, range, levels) => {
    const made = await findMadeImages(await writeGenerator([2, 2, 3], range));
    if (made.kind !== 'generator') throw new Error('no generator');
    const { images } = await renderSeeds(made.generator, 2);
    expect([...images]).toEqual(Array.from({ length: 24 }, (_, i) => levels[i % 4]));
  });

  it('are refused where they are no square ones in RGB, or too small or odd to be measured', async () => {
    const grey = await writeGenerator([28, 28, 1], [0, 1]);
    await expect(findMadeImages(grey)).rejects.toThrow(
      /renders images of 28 × 28 pixels in 1 channels: only square ones in RGB are measured/,
    );
    for (const side of [16, 96]) {
      await expect(measured(await writeGenerator([side, side, 3], [-1, 1]))).rejects.toThrow(
        `renders images of ${side} × ${side} pixels: measured are sides of 32 pixels, 64, 128 and`,
      );
    }
  });

  it('of two sizes do not lie side by side', async () => {
    const [small, large] = [
      await writeGenerator([2, 2, 3], [-1, 1]),
      await writeGenerator([4, 4, 3], [-1, 1]),
    ];
    const options = { side: 2, columns: 2, to: join(root, 'grids.png') };
    await expect(writeGrids({ generators: [small, large], ...options })).rejects.toThrow(
      `${small} renders images of 2 pixels, ${large} of 4: give generators of one size`,
    );
  });
});
