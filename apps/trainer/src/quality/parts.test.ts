import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWasm } from '../engines/wasm/wasm.ts';
import { type ImageSet, takeImages } from './image-set.ts';
import { partsComparer } from './parts.ts';
import { partFeatures } from './random-network.ts';
import { reference, referenceImages } from './testing/reference.ts';

beforeAll(async () => {
  await startWasm();
});

const halvesOf = (count: number) => ({
  reference: Uint32Array.from({ length: count / 2 }, (_, i) => i),
  heldOut: Uint32Array.from({ length: count / 2 }, (_, i) => count / 2 + i),
});
const SIDE = 32;
const noise = referenceImages('a', 24);
const halves = halvesOf(noise.count);

/** Images with one part, a 64th of each, painted over. */
function painted(images: ImageSet, row: number, column: number): ImageSet {
  const set = { ...images, images: images.images.slice() };
  set.images.forEach((_, i) => {
    const pixel = Math.floor(i / 3) % SIDE ** 2;
    const [y, x] = [Math.floor(pixel / SIDE) >> 2, (pixel % SIDE) >> 2];
    if (y === row && x === column) set.images[i] = 200;
  });
  return set;
}

describe('parts', () => {
  it('are as far from real ones as SciPy’s distance says', async () => {
    const { model, floor } = partsComparer(
      await partFeatures(noise),
      halves,
    )(await partFeatures(referenceImages('b', 12)));
    expect(model / reference.parts.model).toBeCloseTo(1, 4);
    expect(floor / reference.parts.floor).toBeCloseTo(1, 4);
  });

  it('are counted by the worst: one that is painted over in all images shows', async () => {
    const all = referenceImages('a', 160);
    const many = halvesOf(all.count);
    const compare = partsComparer(await partFeatures(all), many);
    const heldOut = takeImages(all, many.heldOut);
    const unchanged = compare(await partFeatures(heldOut));
    expect(unchanged.model).toBe(unchanged.floor);
    for (const [row, column] of [
      [0, 0],
      [4, 3],
    ] as const) {
      const { model, floor } = compare(await partFeatures(painted(heldOut, row, column)));
      expect(model).toBeGreaterThan(1.15 * floor);
    }
  });

  it('of white corners are no worse for a level of grey', async () => {
    const white = (level: number): ImageSet => ({
      ...noise,
      images: noise.images.map((value, i) =>
        Math.floor(i / (SIDE * 3)) % SIDE < SIDE / 2 ? level : value,
      ),
    });
    const compare = partsComparer(await partFeatures(white(255)), halves);
    const { model, floor } = compare(await partFeatures(takeImages(white(254), halves.heldOut)));
    expect(model / floor).toBeLessThan(1.05);
  });

  it('leave nothing in the engine’s memory', async () => {
    const before = tf.memory().numTensors;
    await partFeatures(noise);
    expect(tf.memory().numTensors).toBe(before);
  });
});
