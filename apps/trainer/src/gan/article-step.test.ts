import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import { articleDiscriminator, articleGenerator, createRandom } from '@killme/model';
import { dropoutMask, registerTrainingKernels } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type DropoutMasks,
  generateImages,
  trainArticleStep,
  trainDiscriminator,
  trainGenerator,
} from './article-step.ts';
import type { Gan } from './gan.ts';
import { initializeNetwork, type NetworkState } from './network-state.ts';

const adam = { learningRate: 2e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-7 };
const small = { imageSize: 16, width: 1 / 16 };

const masks: DropoutMasks = (part, layer, shape, rate) =>
  dropoutMask(shape, rate, `${part}/${layer}`);

function makeGan(): Gan {
  return {
    generator: initializeNetwork(articleGenerator({ ...small, latentSize: 5 }), 'generator'),
    discriminator: initializeNetwork(articleDiscriminator(small), 'discriminator'),
    ema: undefined,
  };
}

function sampleLatents(key: string, count: number): tf.Tensor2D {
  return tf.tensor2d(createRandom(key).uniform(count * 5), [count, 5]);
}

function randomImages(count: number): tf.Tensor4D {
  return tf.tensor4d(createRandom('images').uniform(count * 16 * 16 * 3), [count, 16, 16, 3]);
}

const read = ({ weights }: NetworkState) =>
  new Map([...weights].map(([name, tensor]) => [name, tensor.dataSync<'float32'>().slice()]));

/** How far each weight moved at most. */
function movement(before: Map<string, Float32Array>, state: NetworkState): Map<string, number> {
  return new Map(
    [...read(state)].map(([name, values]) => {
      const old = before.get(name)!;
      return [name, Math.max(...values.map((value, i) => Math.abs(value - old[i]!)))];
    }),
  );
}

const isMoving = (name: string) => name.includes('/moving_');

let gan: Gan;

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

beforeEach(() => {
  gan = makeGan();
});

describe('trainDiscriminator', () => {
  it('moves every weight of D by about the learning rate, and its moving statistics', () => {
    const before = read(gan.discriminator);
    trainDiscriminator(gan.discriminator, randomImages(4), 'real', { dropoutMasks: masks, adam });
    for (const [name, moved] of movement(before, gan.discriminator)) {
      expect(moved, name).toBeGreaterThan(0);
      // Adam's first step is the learning rate in the gradient's direction, whatever its size.
      if (!isMoving(name)) expect(moved, name).toBeCloseTo(2e-4, 5);
    }
  });

  it('starts near log 2, and falls for a batch that it sees again', () => {
    const images = randomImages(4);
    const fast = { ...adam, learningRate: 2e-3 };
    const noMasks: DropoutMasks = (_, __, shape) => tf.ones([...shape]);
    const losses = Array.from(
      { length: 10 },
      () =>
        trainDiscriminator(gan.discriminator, images, 'real', {
          dropoutMasks: noMasks,
          adam: fast,
        }).loss.dataSync()[0]!,
    );
    expect(losses[0]).toBeGreaterThan(0.2);
    expect(losses[0]).toBeLessThan(2);
    expect(losses[9]).toBeLessThan(losses[0]! / 2);
  });
});

describe('trainGenerator', () => {
  it('moves every weight of G, and nothing of D, not even its moving statistics', () => {
    // A discriminator fresh from its initializers has γ = 1 and β = 0, so a bias of G that a batch
    // normalization follows directly would not move; in the article's networks an activation is between.
    const generator = read(gan.generator);
    const discriminator = read(gan.discriminator);
    trainGenerator(gan, sampleLatents('z', 4), { dropoutMasks: masks, adam });
    for (const [name, moved] of movement(generator, gan.generator)) {
      expect(moved, name).toBeGreaterThan(0);
    }
    for (const [name, moved] of movement(discriminator, gan.discriminator)) {
      expect(moved, name).toBe(0);
    }
    expect(gan.discriminator.steps).toBe(0);
  });
});

describe('generateImages', () => {
  it('normalizes on moving statistics: an image does not depend on its batch', () => {
    const latents = sampleLatents('z', 3);
    const together = generateImages(gan.generator, latents);
    const alone = generateImages(gan.generator, tf.slice2d(latents, [1, 0], [1, 5]));
    const difference = tf.max(
      tf.abs(tf.sub(tf.slice(together, [1, 0, 0, 0], [1, -1, -1, -1]), alone)),
    );
    expect(difference.dataSync()[0]).toBe(0);
  });
});

describe('trainArticleStep', () => {
  const step = (target: Gan) => {
    const inputs = {
      realImages: randomImages(2),
      discriminatorLatents: sampleLatents('d', 2),
      generatorLatents: sampleLatents('g', 4),
      dropoutMasks: masks,
    };
    const losses = trainArticleStep(target, inputs, adam);
    const values = Object.values(losses).map((loss: tf.Scalar) => loss.dataSync()[0]!);
    tf.dispose([
      inputs.realImages,
      inputs.discriminatorLatents,
      inputs.generatorLatents,
      ...Object.values(losses),
    ]);
    return values;
  };

  it('takes two Adam steps of D and one of G', () => {
    step(gan);
    expect(gan.discriminator.steps).toBe(2);
    expect(gan.generator.steps).toBe(1);
  });

  it('is the same twice from one start', () => {
    const other = makeGan();
    expect([step(gan), step(gan)]).toEqual([step(other), step(other)]);
    expect(read(gan.generator)).toEqual(read(other.generator));
    expect(read(gan.discriminator)).toEqual(read(other.discriminator));
  });

  it('leaves no tensor behind', () => {
    step(gan);
    const before = tf.memory().numTensors;
    step(gan);
    expect(tf.memory().numTensors).toBe(before);
  });
});
