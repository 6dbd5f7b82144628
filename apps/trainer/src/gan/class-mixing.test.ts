import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import { createRandom, placeClasses } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { leadOf, mixClasses, mixedCodes, mixesAt, sampleMixture } from './class-mixing.ts';

const space = { size: 7, distribution: 'uniform', classes: [3, 2, 1] } as const;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('latents between classes', () => {
  it('begin at the last fifth of the warm-up', () => {
    const methods = { classMixing: true, warmUp: 100 };
    expect([79, 80, 200].map((iteration) => mixesAt(iteration, methods))).toEqual([
      false,
      true,
      true,
    ]);
    expect(mixesAt(200, { ...methods, classMixing: false })).toBe(false);
  });

  it('belong to their class: 1 − 2t and the lead are together not below 0', () => {
    const labels = Array.from({ length: 200 }, (_, i) => i % 3);
    const random = createRandom('latents');
    const latents = placeClasses(random.uniform(200 * space.size), labels, space);
    const before = latents.slice();
    mixClasses(latents, { labels, space, random });
    let mixed = 0;
    for (const [i, own] of labels.entries()) {
      const latent = latents.subarray(i * 7, (i + 1) * 7);
      const codes = [...latent.subarray(4)];
      const others = [0, 1, 2].filter((label) => label !== own);
      const other = others.find((label) => codes[label]! > -1);
      if (other === undefined) {
        expect(latent).toEqual(before.subarray(i * 7, (i + 1) * 7));
        continue;
      }
      mixed++;
      expect(codes[own]! + codes[other]!).toBeCloseTo(0, 6);
      expect(codes[3 - own - other]).toBe(-1);
      expect(codes[own]! + leadOf(latent, own, other)).toBeGreaterThanOrEqual(-1e-6);
    }
    expect(mixed).toBeGreaterThan(70);
    expect(mixed).toBeLessThan(130);
  });

  it('of real images go as far as their class goes, by hand', () => {
    // Leads of class 0 over 1: 0.5 − (−0.1) = 0.6, so t ≤ 0.8; of 2 over 0: −0.9 − 0.9, bounded to −0.8: t ≤ 0.1.
    const components = tf.tensor2d([
      [0.5, -0.1, 0.3, 1],
      [0.9, 0, -0.9, 1],
      [0.2, 0.4, 0, 1],
    ]);
    const classes = tf.tensor2d([
      [1, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
    ]);
    const mixture = {
      others: tf.tensor2d([
        [0, 1, 0],
        [1, 0, 0],
        [0, 0, 1],
      ]),
      shares: tf.tensor2d([[1], [0.5], [0]]),
    };
    const codes = mixedCodes(components, classes, mixture).arraySync();
    const expected = [
      [-0.6, 0.6, -1],
      [-0.9, -1, 0.9],
      [-1, 1, -1],
    ];
    for (const [i, row] of expected.entries()) {
      for (const [j, code] of row.entries()) expect(codes[i]![j]).toBeCloseTo(code, 6);
    }
  });

  it('do not bend the encoder: no gradient passes', () => {
    const classes = tf.tensor2d([[1, 0, 0]]);
    const mixture = { others: tf.tensor2d([[0, 1, 0]]), shares: tf.tensor2d([[0.5]]) };
    const sum = (x: tf.Tensor) =>
      tf.sum(mixedCodes(x as tf.Tensor2D, classes, mixture)) as tf.Scalar;
    const gradient = tf.grad(sum)(tf.tensor2d([[0.5, -0.1, 0.3, 1]]));
    expect([...gradient.dataSync()]).toEqual([0, 0, 0, 0]);
  });

  it('mix an image with another class than its own, each of the others as often', () => {
    const labels = new Uint16Array(3000).fill(1);
    const { others, shares } = sampleMixture(labels, 3, createRandom('mixture'));
    const count = (label: number) => others.filter((other) => other === label).length;
    expect(count(1)).toBe(0);
    expect(count(0) / 3000).toBeCloseTo(0.5, 1);
    expect(shares.filter((share) => share > 0).length / 3000).toBeCloseTo(0.5, 1);
  });
});
