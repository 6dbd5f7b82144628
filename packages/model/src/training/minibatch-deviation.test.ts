import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { minibatchDeviation, sequential } from '../index.ts';
import { applyNetwork } from './index.ts';

const network = sequential('discriminator', [1, 2, 2], [minibatchDeviation()]);
const apply = (images: number[][][]) => {
  const x = tf.tensor(images.map((image) => [image]));
  return applyNetwork(network, new Map(), x, { training: false }).arraySync();
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('minibatchDeviation', () => {
  it('adds, for each channel, the mean over all places of its standard deviation over the batch', () => {
    // By hand: the numbers of the first place differ by 2 and 4, so their deviations are 1 and 2;
    // those of the second by 0 and 10: 0 and 5. The means are 0.5 of 1 and 0, and 3.5 of 2 and 5.
    const made = apply([
      [
        [1, 0],
        [7, -5],
      ],
      [
        [3, 4],
        [7, 5],
      ],
    ]) as number[][][][];
    expect(made.map((image) => image[0]!.map((place) => place.slice(0, 2)))).toEqual([
      [
        [1, 0],
        [7, -5],
      ],
      [
        [3, 4],
        [7, 5],
      ],
    ]);
    for (const place of made.flat(2)) {
      expect(place[2]).toBeCloseTo(0.5, 3);
      expect(place[3]).toBeCloseTo(3.5, 4);
    }
  });

  it('shows nothing where a batch is one image many times, and has a gradient there', () => {
    const image = [
      [1, 2],
      [3, 4],
    ];
    const made = apply([image, image, image]) as number[][][][];
    for (const place of made.flat(2)) {
      expect(place).toHaveLength(4);
      expect(place[2]).toBeCloseTo(0, 3);
      expect(place[3]).toBeCloseTo(0, 3);
    }
    const gradient = tf.grad((x) =>
      tf.sum(applyNetwork(network, new Map(), x, { training: true, dropoutMask: noDropout })),
    )(tf.ones([3, 1, 2, 2]));
    expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
  });
});

function noDropout(): never {
  throw new Error('nothing drops out');
}
