import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWasm } from '../engines/wasm/wasm.ts';
import { randomFeatures } from './random-network.ts';
import { reference, referenceImages } from './testing/reference.ts';

beforeAll(async () => {
  await startWasm();
});

describe('features of the random network', () => {
  it('are PyTorch’s', async () => {
    const { count, size, values } = await randomFeatures(referenceImages('a'));
    expect({ count, size }).toEqual({ count: 3, size: 704 });
    reference.randomFeatures.everySixteenth.forEach((value, i) => {
      expect(values[16 * i]).toBeCloseTo(value, 4);
    });
    reference.randomFeatures.sums.forEach((sum, i) => {
      const own = values.subarray(i * size, (i + 1) * size).reduce((a, b) => a + b, 0);
      expect(Math.abs(own / sum - 1)).toBeLessThan(1e-4);
    });
  });

  it('leave nothing in the engine’s memory', async () => {
    const before = tf.memory().numTensors;
    await randomFeatures(referenceImages('b'));
    expect(tf.memory().numTensors).toBe(before);
  });
});
