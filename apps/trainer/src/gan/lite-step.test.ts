// @module-tag slow
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import {
  activation,
  articleGenerator,
  batchNormalization,
  conv2d,
  createRandom,
  dense,
  flatten,
  leakyRelu,
  MAPPING_UNITS,
  minibatchDeviation,
  reshape,
  sequential,
  upSampling2d,
  WHITENING,
  withWhitening,
} from '@killme/model';
import { applyNetwork, dropoutMask, registerTrainingKernels } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateImages } from './article-step.ts';
import { calibrateEma, copyWeights, updateEma } from './ema.ts';
import { encodeImages } from './encoder.ts';
import type { Gan } from './gan.ts';
import { gradientPenalty } from './lite-discriminator-step.ts';
import { saturation } from './lite-generator-step.ts';
import { learningRateFactor, trainLiteStep } from './lite-step.ts';
import type { LiteStepInputs } from './lite-step-inputs.ts';
import { withFrozenMapping, writeMapping } from './mapping-network.ts';
import { createNetworkState, initializeNetwork, type NetworkState } from './network-state.ts';
import { normal } from './normal.ts';

const SIDE = 8;
const HALF = 4;
const adam = { learningRate: 5e-3, beta1: 0, beta2: 0.99, epsilon: 1e-7 };
const methods = {
  loss: 'relativistic',
  gradientPenalty: 1,
  reconstructionWeight: 0,
  warmUp: 0,
} as const;

function makeGan(): Gan {
  const generator = articleGenerator({ latentSize: 5, imageSize: SIDE, width: 1 / 16 });
  const discriminator = sequential(
    'discriminator',
    [SIDE, SIDE, 3],
    [
      conv2d(4, { strides: 2 }),
      leakyRelu(0.2),
      minibatchDeviation(),
      conv2d(4, { strides: 2 }),
      leakyRelu(0.2),
      flatten(),
      dense(1),
      activation('sigmoid'),
    ],
  );
  return {
    generator: initializeNetwork(generator, 'generator'),
    discriminator: initializeNetwork(discriminator, 'discriminator'),
    ema: undefined,
  };
}

const numbers = (key: string, shape: number[]) =>
  tf.tensor(createRandom(key).uniform(tf.util.sizeFromShape(shape)), shape);

const sampleInputs = (key = ''): LiteStepInputs => ({
  realImages: numbers(`real${key}`, [HALF, SIDE, SIDE, 3]) as tf.Tensor4D,
  discriminatorLatents: numbers(`d${key}`, [HALF, 5]) as tf.Tensor2D,
  generatorLatents: numbers(`g${key}`, [HALF, 5]) as tf.Tensor2D,
  encoderNoise: (components) =>
    tf.tensor2d(normal(createRandom(`noise${key}`), HALF * components), [HALF, components]),
  signs: (part, shape) => tf.sub(dropoutMask(shape, 0.5, `signs/${part}${key}`), 1),
});

const read = ({ weights }: Pick<NetworkState, 'weights'>) =>
  new Map([...weights].map(([name, tensor]) => [name, [...tensor.dataSync<'float32'>()]]));

function step(
  gan: Gan,
  key?: string,
  chosen: Parameters<typeof trainLiteStep>[2]['methods'] = methods,
) {
  const inputs = sampleInputs(key);
  const losses = trainLiteStep(gan, inputs, { methods: chosen, adam });
  const values = Object.values(losses).map((loss: tf.Scalar) => loss.dataSync()[0]!);
  tf.dispose([inputs.realImages, inputs.discriminatorLatents, inputs.generatorLatents]);
  tf.dispose(Object.values(losses));
  return values;
}

let gan: Gan;

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

beforeEach(() => {
  gan = makeGan();
});

describe('trainLiteStep', () => {
  it('takes one Adam step of D and one of G, and moves every weight', () => {
    const before = { generator: read(gan.generator), discriminator: read(gan.discriminator) };
    step(gan);
    for (const name of ['generator', 'discriminator'] as const) {
      expect(gan[name].steps).toBe(1);
      for (const [weight, values] of read(gan[name])) {
        // What both halves get alike cancels between them: the relativistic loss has no last bias.
        if (name === 'discriminator' && weight === 'dense/bias') continue;
        expect(values, `${name}/${weight}`).not.toEqual(before[name].get(weight));
      }
    }
  });

  it.each(['logistic', 'hinge', 'relativistic'] as const)(
    'with loss %s lets D tell images of one kind from those of a G that stands still',
    (loss) => {
      let accuracy = 0;
      for (let i = 0; i < 12; i++) {
        const weights = new Map(
          [...gan.generator.weights].map(([name, tensor]) => [name, tensor.clone()]),
        );
        const [, , real, fake] = step(gan, undefined, { ...methods, loss, gradientPenalty: 0 });
        accuracy = (real! + fake!) / 2;
        tf.dispose([...gan.generator.weights.values()]);
        gan.generator.weights = weights;
      }
      expect(accuracy).toBe(1);
    },
  );

  it('is the same twice from one start', () => {
    const other = makeGan();
    expect([step(gan), step(gan, 'next')]).toEqual([step(other), step(other, 'next')]);
    expect(read(gan.discriminator)).toEqual(read(other.discriminator));
  });

  it('leaves no tensor behind', () => {
    step(gan);
    const before = tf.memory().numTensors;
    step(gan);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a class-conditional D', () => {
  /** One linear layer with a logit for each of two classes. */
  const linear = () =>
    sequential('discriminator', [SIDE, SIDE, 3], [flatten(), dense(2), activation('sigmoid')]);

  it('judges an image by the logit of its class alone', () => {
    gan.discriminator = initializeNetwork(linear(), 'conditional');
    const before = read(gan.discriminator).get('dense/kernel')!;
    const inputs = {
      ...sampleInputs(),
      classes: tf.tensor2d(new Array(HALF).fill([1, 0]).flat(), [HALF, 2]),
    };
    trainLiteStep(gan, inputs, { methods, adam });
    const after = read(gan.discriminator).get('dense/kernel')!;
    const moved = after.map((value, i) => value !== before[i]);
    expect(moved.filter((_, i) => i % 2 === 0)).toContain(true);
    expect(moved.filter((_, i) => i % 2 === 1)).not.toContain(true);
  });
});

describe('the encoder', () => {
  const components = 3; // the other two of a latent are its class
  const encoder = withWhitening(
    sequential('encoder', [SIDE, SIDE, 3], [flatten(), dense(2 * components)]),
  );
  /** How far G's reconstructions are from the images. */
  const error = (made: Gan, { realImages, generatorLatents }: LiteStepInputs) =>
    tf.tidy(() => {
      const { latents } = encodeImages(made.encoder!, {
        images: realImages,
        noise: () => tf.zeros([HALF, components]),
      });
      const condition = tf.slice(generatorLatents, [0, components]);
      const { network, weights } = made.generator;
      const mode = { training: true, dropoutMask: () => tf.scalar(1) } as const;
      const again = applyNetwork(network, weights, tf.concat([latents, condition], 1), mode);
      return tf.mean(tf.abs(tf.sub(again, realImages))).dataSync()[0]!;
    });
  const described = { ...methods, reconstructionWeight: 100 };

  it('learns with G to reconstruct each real image', { timeout: 30_000 }, () => {
    // Grey images: one image for all would be wrong by 0.5 in the mean.
    const grey = () =>
      tf.tidy(() => {
        const values = tf.tensor4d([-0.75, -0.25, 0.25, 0.75], [HALF, 1, 1, 1]);
        return tf.mul(values, tf.ones([HALF, SIDE, SIDE, 3])) as tf.Tensor4D;
      });
    gan.encoder = initializeNetwork(encoder, 'encoder');
    const before = read(gan.encoder);
    for (let i = 0; i < 25; i++) {
      const inputs = { ...sampleInputs(`${i}`), realImages: grey() };
      const losses = trainLiteStep(gan, inputs, {
        methods: { ...described, warmUp: 25 }, // without D, which makes it slower only
        adam: { ...adam, learningRate: 0.02 },
      });
      tf.dispose(Object.values(losses));
    }
    expect(error(gan, { ...sampleInputs(), realImages: grey() })).toBeLessThan(0.4);
    const still: string[] = Object.values(WHITENING); // no gradient moves it
    for (const [name, values] of read(gan.encoder)) {
      if (still.includes(name)) expect(values, name).toEqual(before.get(name));
      else expect(values, name).not.toEqual(before.get(name));
    }
    expect(gan.encoder.steps).toBe(gan.generator.steps);
  });

  it('lets D rest while G warms up', () => {
    gan.encoder = initializeNetwork(encoder, 'encoder');
    const before = { discriminator: read(gan.discriminator), generator: read(gan.generator) };
    const warm = { ...described, warmUp: 2 };
    step(gan, undefined, warm);
    const losses = trainLiteStep(gan, sampleInputs(), { methods: warm, adam });
    expect(Object.keys(losses)).toEqual(['reconstructionLoss']);
    expect(read(gan.discriminator)).toEqual(before.discriminator);
    expect(read(gan.generator)).not.toEqual(before.generator);
    step(gan, undefined, warm);
    expect(read(gan.discriminator)).not.toEqual(before.discriminator);
    expect([gan.generator.steps, gan.discriminator.steps]).toEqual([3, 1]);
  });

  it('goes on at its pace when D joins in', () => {
    gan.encoder = initializeNetwork(encoder, 'encoder');
    const warm = { ...described, warmUp: 30 };
    /** How far a step moves G's weights, on average. */
    const move = (key: string) => {
      const before = gan.generator.weights.get('dense/kernel')!.clone();
      step(gan, key, warm);
      const after = gan.generator.weights.get('dense/kernel')!;
      return tf.tidy(() => tf.mean(tf.abs(tf.sub(after, before))).dataSync()[0]!);
    };
    const moves = Array.from({ length: 31 }, (_, i) => move(`${i}`));
    // Its steps are three tenths as large from the last fifth of the warm-up on.
    expect(moves.at(-1)! / Math.max(...moves.slice(16, 24))).toBeLessThan(0.45);
  });

  it('changes nothing of what D learns in the same step', () => {
    const alone = makeGan();
    step(alone);
    gan.encoder = initializeNetwork(encoder, 'encoder');
    step(gan, undefined, described);
    expect(read(gan.discriminator)).toEqual(read(alone.discriminator));
    expect(read(gan.generator)).not.toEqual(read(alone.generator));
  });

  it('leaves no tensor behind', () => {
    gan.encoder = initializeNetwork(encoder, 'encoder');
    step(gan, undefined, described);
    const before = tf.memory().numTensors;
    step(gan, undefined, described);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a G with a mapping network', () => {
  const mapping = [1, 2, 3].map(() => dense(MAPPING_UNITS, { activation: 'relu' }));
  const cells = [dense(4 * 4 * 4), reshape(4, 4, 4), batchNormalization(), activation('relu')];
  const image = [upSampling2d(), conv2d(3), activation('tanh')];
  const network = withFrozenMapping(
    sequential('generator', [5], [...mapping, dense(5), ...cells, ...image]),
  );
  const begin = () => {
    const generator = initializeNetwork(network, 'generator');
    writeMapping(generator);
    const layers = [flatten(), dense(2 * 5)];
    const encoder = withWhitening(sequential('encoder', [SIDE, SIDE, 3], layers));
    gan = { ...gan, generator, encoder: initializeNetwork(encoder, 'encoder') };
  };
  const described = { ...methods, reconstructionWeight: 100, warmUp: 1 };
  const ofMapping = (name: string) => /^dense(_[123])?\//.test(name);

  it('learns all but that network, and after the warm-up leaves the encoder as it is', () => {
    begin();
    const before = [read(gan.generator), read(gan.encoder!)] as const;
    step(gan, 'warm-up', described);
    const warm = [read(gan.generator), read(gan.encoder!)] as const;
    step(gan, 'with D', described);
    const after = [read(gan.generator), read(gan.encoder!)] as const;
    for (const [name, values] of warm[0]) {
      if (ofMapping(name))
        expect([values, after[0].get(name)]).toEqual([before[0].get(name), values]);
      else expect(after[0].get(name), name).not.toEqual(values);
    }
    expect(warm[1].get('dense/kernel')).not.toEqual(before[1].get('dense/kernel'));
    expect(after[1]).toEqual(warm[1]);
  });

  it('takes mapped latents in its own step and in that of D, and in none of the warm-up', () => {
    const lossesWith = (shift: number) => {
      begin();
      const bias = gan.generator.weights.get('dense_3/bias')!;
      gan.generator.weights.set('dense_3/bias', tf.add(bias, shift));
      return [step(gan, 'warm-up', described), step(gan, 'with D', described)];
    };
    const [warm, withD] = lossesWith(0);
    const [shiftedWarm, shiftedWithD] = lossesWith(0.5);
    expect(shiftedWarm).toEqual(warm);
    // Real loss, fake loss, accuracies, G's loss.
    expect(shiftedWithD![1]).not.toBe(withD![1]);
    expect(shiftedWithD![4]).not.toBe(withD![4]);
  });

  it('leaves no tensor behind', () => {
    begin();
    step(gan, 'a', described);
    const before = tf.memory().numTensors;
    step(gan, 'b', described);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('saturation', () => {
  it('is how far numbers are beyond ±4 under the tanh, the mean over all', () => {
    expect(saturation(tf.tensor1d([0, 3.9, -4, 5, -24, 1])).dataSync()[0]).toBeCloseTo(21 / 6, 6);
  });

  it('brings a G back whose images are saturated black', () => {
    const bias = [...gan.generator.weights.keys()].filter((name) => name.endsWith('/bias')).at(-1)!;
    gan.generator.weights.set(bias, tf.fill([3], -9));
    const farthest = () => Math.min(...gan.generator.weights.get(bias)!.dataSync<'float32'>());
    for (let i = 0; i < 5; i++) step(gan, `${i}`);
    // Adam steps as large as the learning rate, up again, though no image can show it.
    expect(farthest()).toBeGreaterThan(-9 + 4 * adam.learningRate);
    const { network, weights } = gan.generator;
    const mode = { training: true, dropoutMask: () => tf.scalar(1) } as const;
    const rendered = applyNetwork(network, weights, sampleInputs().generatorLatents, mode);
    expect(Math.max(...rendered.dataSync())).toBeLessThan(-0.99);
  });
});

describe('the learning rate', () => {
  it('is all of it until the last fifth of the warm-up, then three tenths', () => {
    const factors = [0, 4799, 4800, 50_000].map((steps) => learningRateFactor(steps, 6000));
    expect(factors).toEqual([1, 1, 0.3, 0.3]);
  });

  it('is all of it where there is no warm-up', () => {
    expect(learningRateFactor(50_000, 0)).toBe(1);
  });
});

describe('gradientPenalty', () => {
  it('is in the mean the squared length of the gradient: for a linear D that of its weights', () => {
    const weights = numbers('linear', [SIDE * SIDE * 3, 1]);
    const judge = (images: tf.Tensor) =>
      tf.matMul(tf.reshape(images, [images.shape[0]!, -1]) as tf.Tensor2D, weights as tf.Tensor2D);
    const images = numbers('images', [2000, SIDE, SIDE, 3]);
    const signs = tf.sub(dropoutMask(images.shape, 0.5, 'signs'), 1);
    const penalty = gradientPenalty(judge, { images, logits: judge(images), signs });
    const length = tf.sum(tf.square(weights)).dataSync()[0]!;
    expect(penalty.dataSync()[0]! / length).toBeGreaterThan(0.9);
    expect(penalty.dataSync()[0]! / length).toBeLessThan(1.1);
  });
});

describe('the EMA of G', () => {
  const latent = { size: 5, distribution: 'uniform' } as const;

  it('is a running mean in the first steps: all of a weight, then fractions of it', () => {
    const network = sequential('generator', [1], [dense(1)]);
    const state = createNetworkState(network, () => Float32Array.of(1));
    const ema = new Map([...state.weights].map(([name]) => [name, tf.zeros([1, 1])]));
    updateEma(ema, { ...state, steps: 1 }, 0.998);
    // (1 + 1) / (10 + 1) of 0 and the rest of 1
    expect(ema.get('dense/kernel')!.dataSync()[0]).toBeCloseTo(9 / 11, 6);
    updateEma(ema, { ...state, steps: 100_000 }, 0.998);
    expect(ema.get('dense/kernel')!.dataSync()[0]).toBeCloseTo((9 / 11) * 0.998 + 0.002, 6);
  });

  it('is normalized with the statistics of its own activations, whatever G has seen', () => {
    gan.ema = copyWeights(gan.generator);
    step(gan);
    calibrateEma(gan, { seed: 7, latent });
    const { network } = gan.generator;
    const latents = tf.tensor2d(createRandom('7/calibration latents').uniform(32 * 5), [32, 5]);
    const averaged = { ...gan.generator, weights: gan.ema };
    const shown = generateImages(averaged, latents);
    const statistics = new Map();
    const mode = {
      training: true,
      dropoutMask: () => {
        throw new Error('nothing drops out');
      },
      statistics,
    } as const;
    const trained = tf.tidy(() => applyNetwork(network, averaged.weights, latents, mode));
    const difference = tf.max(tf.abs(tf.sub(shown, trained))).dataSync()[0]!;
    expect(difference).toBeLessThan(1e-4);
    const again = read({ weights: gan.ema });
    calibrateEma(gan, { seed: 7, latent });
    expect(read({ weights: gan.ema })).toEqual(again);
  });
});
