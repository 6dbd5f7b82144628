import '@tensorflow/tfjs-backend-cpu';
import { articleDiscriminator, articleGenerator, countParameters } from '@killme/model';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { preparePlain } from './plain.ts';
import { buildPlainGan } from './plain-networks.ts';

const SMALL = { imageSize: 16, width: 1 / 16 };

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const read = (model: tf.LayersModel) =>
  model.getWeights().map((weight) => weight.dataSync<'float32'>().slice());

describe('buildPlainGan', () => {
  it('has the shapes of the networks that ours trains', () => {
    const gan = buildPlainGan(SMALL);
    const pairs = [
      [gan.generator, articleGenerator(SMALL)],
      [gan.discriminator, articleDiscriminator(SMALL)],
    ] as const;
    for (const [plain, ours] of pairs) {
      expect(plain.countParams()).toBe(countParameters(ours).total);
      const shapes = plain.layers.map(({ outputShape }) => outputShape.slice(1));
      expect(shapes.at(-1)).toEqual(ours.outputShape);
    }
  });

  it('trains D alone on its batches, and G alone in the combined model', async () => {
    const { generator, discriminator, combined } = buildPlainGan(SMALL);
    const moving = discriminator.weights.map(({ name }) => name.includes('moving'));
    const start = read(discriminator);
    await discriminator.trainOnBatch(tf.randomNormal([2, 16, 16, 3]), tf.ones([2, 1]));
    const trained = read(discriminator);
    trained.forEach((values, i) => {
      expect(values).not.toEqual(start[i]);
    });
    const before = read(generator);
    await combined.trainOnBatch(tf.randomUniform([4, 100], -1, 1), tf.ones([4, 1]));
    read(generator).forEach((values, i) => {
      expect(values).not.toEqual(before[i]);
    });
    // tfjs moves the moving statistics of D here too; Keras does not.
    read(discriminator).forEach((values, i) => {
      if (!moving[i]) expect(values).toEqual(trained[i]);
    });
  });
});

describe('preparePlain', () => {
  it('gives the losses and accuracies of an iteration, and leaves no tensor behind', async () => {
    const iterate = preparePlain(4, buildPlainGan(SMALL));
    await iterate();
    const before = tf.memory().numTensors;
    const numbers = await iterate();
    expect(numbers).toHaveLength(5);
    expect(numbers.every(Number.isFinite)).toBe(true);
    expect(tf.memory().numTensors).toBe(before);
  });
});
