import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADVERSARIAL_LOSSES, binaryCrossEntropy, discriminatorLoss } from './index.ts';

const real = () => tf.tensor2d([2, -1, 0.5], [3, 1]);
const fake = () => tf.tensor2d([1, -3, 0], [3, 1]);
const number = (scalar: tf.Scalar) => scalar.dataSync()[0]!;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the losses of D and G', () => {
  it('logistic are the cross-entropies of the article', () => {
    const loss = ADVERSARIAL_LOSSES.logistic;
    const expected = number(binaryCrossEntropy(real(), 1)) + number(binaryCrossEntropy(fake(), 0));
    expect(number(discriminatorLoss(loss, real(), fake()))).toBeCloseTo(expected, 6);
    expect(number(loss.generator(real(), fake()))).toBeCloseTo(
      number(binaryCrossEntropy(fake(), 1)),
      6,
    );
  });

  it('hinge, by hand', () => {
    const loss = ADVERSARIAL_LOSSES.hinge;
    // real: 0, 2, 0.5 short of 1; fake: 2, 0, 1 over −1
    expect(number(discriminatorLoss(loss, real(), fake()))).toBeCloseTo(2.5 / 3 + 3 / 3, 6);
    expect(number(loss.generator(real(), fake()))).toBeCloseTo(2 / 3, 6);
  });

  it('relativistic, by hand: log(1 + e^(fake − real)) of each pair, and for G the other way', () => {
    const loss = ADVERSARIAL_LOSSES.relativistic;
    const mean = (gaps: number[]) =>
      gaps.reduce((sum, gap) => sum + Math.log(1 + Math.exp(gap)), 0) / gaps.length;
    expect(number(discriminatorLoss(loss, real(), fake()))).toBeCloseTo(mean([-1, -2, -0.5]), 6);
    expect(number(loss.generator(real(), fake()))).toBeCloseTo(mean([1, 2, 0.5]), 6);
  });
});
