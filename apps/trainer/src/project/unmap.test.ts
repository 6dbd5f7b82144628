import {
  createRandom,
  dense,
  liteGenerator,
  MAPPING_DEPTH,
  seedToLatent,
  sequential,
} from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../engines/start.ts';
import { mapLatents, writeMapping } from '../gan/mapping-network.ts';
import { initializeNetwork } from '../gan/network-state.ts';
import { unmapLatent } from './unmap.ts';

const space = { size: 8, distribution: 'uniform', classes: [1, 1] } as const;

beforeAll(async () => {
  await startEngine('wasm', () => {});
});

/** A G whose mapping network moves the first three components, as random weights will. */
function mappedGenerator() {
  const hidden = () => dense(256 - space.size, { activation: 'relu' });
  const layers = [...Array.from({ length: MAPPING_DEPTH }, hidden), dense(3)];
  const network = sequential('mapping', [5], layers);
  const weights = network.weights.map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const scale = name.endsWith('kernel') ? Math.sqrt(12 / (shape[0]! + shape.at(-1)!)) : 0;
    return [
      name,
      createRandom(name)
        .uniform(size)
        .map((value) => value * scale),
    ] as const;
  });
  const generator = initializeNetwork(
    liteGenerator({ latentSize: space.size, imageSize: 8, mapping: true }),
    'generator',
  );
  writeMapping(generator, { components: 3, classes: 2, network, weights: new Map(weights) });
  return generator;
}

describe('unmapLatent', () => {
  it('finds what the mapping network has taken there, the class and the others with it', async () => {
    const generator = mappedGenerator();
    for (const seed of ['a', 'b', 'c']) {
      const latent = seedToLatent(seed, space);
      const map = (z: Float32Array) =>
        tf.tidy(() => mapLatents(generator, tf.tensor2d(z, [1, space.size])).dataSync<'float32'>());
      const mapped = map(latent);
      const moves = mapped.map((value, i) => Math.abs(value - latent[i]!));
      expect(Math.max(...moves.subarray(0, 3))).toBeGreaterThan(0.05);
      const found = await unmapLatent(generator, mapped, space);
      for (const [i, value] of map(found).entries()) expect(value).toBeCloseTo(mapped[i]!, 2);
      for (const [i, value] of found.subarray(3).entries()) {
        expect(value).toBeCloseTo(latent[3 + i]!, 5);
      }
    }
  });
});
