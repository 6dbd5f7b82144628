import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADVERSARIAL_LOSSES, type AdversarialLoss } from './index.ts';

const REAL = [2, -0.5, 30];
const FAKE = [-1, 0.25, -200];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const logSigmoid = (x: number) => -Math.log1p(Math.exp(-x));
const pairs = (value: (real: number, fake: number) => number) =>
  mean(REAL.map((real, i) => value(real, FAKE[i]!)));

function losses({ discriminator, generator }: AdversarialLoss) {
  const [real, fake] = [tf.tensor2d(REAL, [3, 1]), tf.tensor2d(FAKE, [3, 1])];
  return {
    discriminator: discriminator(real, fake).dataSync()[0]!,
    generator: generator(fake, real).dataSync()[0]!,
  };
}

/** As the papers write them, in float64. */
const FORMULAS = {
  // −E log σ(D(x)) − E log(1 − σ(D(G(z)))); for G −E log σ(D(G(z)))
  logistic: {
    discriminator: -mean(REAL.map(logSigmoid)) - mean(FAKE.map((x) => logSigmoid(-x))),
    generator: -mean(FAKE.map(logSigmoid)),
  },
  // E max(0, 1 − D(x)) + E max(0, 1 + D(G(z))); for G −E D(G(z))
  hinge: {
    discriminator: mean([0, 1.5, 0]) + mean([0, 1.25, 0]),
    generator: -mean(FAKE),
  },
  // −E log σ(D(x) − D(G(z))); for G with the two exchanged
  relativistic: {
    discriminator: -pairs((real, fake) => logSigmoid(real - fake)),
    generator: -pairs((real, fake) => logSigmoid(fake - real)),
  },
} satisfies Record<keyof typeof ADVERSARIAL_LOSSES, { discriminator: number; generator: number }>;

describe.each(['logistic', 'hinge', 'relativistic'] as const)('the %s loss', (name) => {
  it('is the formula of its paper, at large logits too', () => {
    const { discriminator, generator } = losses(ADVERSARIAL_LOSSES[name]);
    expect(discriminator / FORMULAS[name].discriminator).toBeCloseTo(1, 5);
    expect(generator / FORMULAS[name].generator).toBeCloseTo(1, 5);
  });

  it('lets G learn from an image that D is sure about', () => {
    const real = tf.tensor2d([50], [1, 1]);
    const gradient = tf.grad((fake) => ADVERSARIAL_LOSSES[name].generator(fake, real))(
      tf.tensor2d([-50], [1, 1]),
    );
    expect(gradient.dataSync()[0]).toBeCloseTo(-1, 5);
  });
});
