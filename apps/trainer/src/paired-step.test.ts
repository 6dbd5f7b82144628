import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import {
  activation,
  applyNetwork,
  articleGenerator,
  conv2d,
  createRandom,
  dense,
  dropoutMask,
  flatten,
  leakyRelu,
  minibatchDeviation,
  product,
  registerTrainingKernels,
  sequential,
  upSampling2d,
} from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { calibrateAverage, copyWeights, updateAverage } from './average.ts';
import { createNetworkState, initializeNetwork, type NetworkState } from './network-state.ts';
import {
  gradientPenalty,
  type PairedInputs,
  reconstructionError,
  trainPairedStep,
} from './paired-step.ts';
import { type Gan, generateImages } from './step.ts';

const SIDE = 8;
const HALF = 4;
const adam = { learningRate: 5e-3, beta1: 0, beta2: 0.99, epsilon: 1e-7 };
const methods = { loss: 'relativistic', gradientPenalty: 1, reconstruction: 0 } as const;

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
    average: undefined,
  };
}

const numbers = (key: string, shape: number[]) =>
  tf.tensor(createRandom(key).uniform(tf.util.sizeFromShape(shape)), shape);

const drawInputs = (key = ''): PairedInputs => ({
  realImages: numbers(`real${key}`, [HALF, SIDE, SIDE, 3]) as tf.Tensor4D,
  discriminatorLatents: numbers(`d${key}`, [HALF, 5]) as tf.Tensor2D,
  generatorLatents: numbers(`g${key}`, [HALF, 5]) as tf.Tensor2D,
  signs: (part, shape) => tf.sub(dropoutMask(shape, 0.5, `signs/${part}${key}`), 1),
});

const read = ({ weights }: Pick<NetworkState, 'weights'>) =>
  new Map([...weights].map(([name, tensor]) => [name, [...tensor.dataSync<'float32'>()]]));

function step(
  gan: Gan,
  key?: string,
  chosen: Parameters<typeof trainPairedStep>[2]['methods'] = methods,
) {
  const inputs = drawInputs(key);
  const losses = trainPairedStep(gan, inputs, { methods: chosen, adam });
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

describe('trainPairedStep', () => {
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

describe('a D that is told classes', () => {
  /** One linear layer with a logit for each of two classes. */
  const linear = () =>
    sequential('discriminator', [SIDE, SIDE, 3], [flatten(), dense(2), activation('sigmoid')]);

  it('judges an image by the logit of its class alone', () => {
    gan.discriminator = initializeNetwork(linear(), 'told');
    const before = read(gan.discriminator).get('dense/kernel')!;
    const inputs = {
      ...drawInputs(),
      classes: tf.tensor2d(new Array(HALF).fill([1, 0]).flat(), [HALF, 2]),
    };
    trainPairedStep(gan, inputs, { methods, adam });
    const after = read(gan.discriminator).get('dense/kernel')!;
    const moved = after.map((value, i) => value !== before[i]);
    expect(moved.filter((_, i) => i % 2 === 0)).toContain(true);
    expect(moved.filter((_, i) => i % 2 === 1)).not.toContain(true);
  });
});

describe('the decoder', () => {
  const side = 32;
  /** Like lite's: four halvings that the decoder sees, and a rest that it does not. */
  const halvings = [1, 2, 3, 4].flatMap(() => [conv2d(4, { strides: 2 }), leakyRelu(0.2)]);
  const small = sequential(
    'discriminator',
    [side, side, 3],
    [...halvings, flatten(), dense(1), activation('sigmoid')],
  );
  const decoder = sequential(
    'decoder',
    [2, 2, 4],
    [upSampling2d(), conv2d(4), leakyRelu(0.2), upSampling2d(), conv2d(3), activation('tanh')],
  );
  const images = (key = 'images') => numbers(key, [HALF, side, side, 3]) as tf.Tensor4D;

  it('is wrong by the mean difference from the image at its own size', () => {
    const discriminator = initializeNetwork(small, 'D');
    const black = createNetworkState(decoder, ({ shape }) => new Float32Array(product(shape)));
    // Each of its pixels stands for 4×4 of the image, here one of 1 and fifteen of 0: a mean of 1/16.
    const dotted = tf.tidy(() => {
      const corner = tf.pad(tf.ones([1, 1, 1, 3]), [
        [0, 0],
        [0, 3],
        [0, 3],
        [0, 0],
      ]);
      return tf.tile(corner, [1, side / 4, side / 4, 1]) as tf.Tensor4D;
    });
    const error = reconstructionError(discriminator, black, dotted);
    expect(error.dataSync()[0]).toBeCloseTo(1 / 16, 6);
  });

  it('learns with D to draw again what D sees', () => {
    const made: Gan = {
      generator: initializeNetwork(
        articleGenerator({ latentSize: 5, imageSize: side, width: 1 / 16 }),
        'G',
      ),
      discriminator: initializeNetwork(small, 'D'),
      decoder: initializeNetwork(decoder, 'decoder'),
      average: undefined,
    };
    const before = read(made.decoder!);
    const error = () =>
      reconstructionError(made.discriminator, made.decoder!, images()).dataSync()[0]!;
    const first = error();
    for (let i = 0; i < 5; i++) {
      const inputs = {
        ...drawInputs(),
        realImages: images(),
      };
      const chosen = { ...methods, gradientPenalty: 0, reconstruction: 10 };
      trainPairedStep(made, inputs, { methods: chosen, adam });
    }
    expect(error()).toBeLessThan(first);
    for (const [name, values] of read(made.decoder!)) {
      expect(values, name).not.toEqual(before.get(name));
    }
    expect(made.decoder!.steps).toBe(made.discriminator.steps);
  });
});

describe('gradientPenalty', () => {
  it('is in the mean the squared length of the gradient: for a linear D that of its weights', () => {
    const weights = numbers('linear', [SIDE * SIDE * 3, 1]);
    const judge = (images: tf.Tensor) =>
      tf.matMul(tf.reshape(images, [images.shape[0]!, -1]) as tf.Tensor2D, weights as tf.Tensor2D);
    const images = numbers('images', [2000, SIDE, SIDE, 3]);
    const signs = tf.sub(dropoutMask(images.shape, 0.5, 'signs'), 1);
    const penalty = gradientPenalty(judge, { images, scores: judge(images), signs });
    const length = tf.sum(tf.square(weights)).dataSync()[0]!;
    expect(penalty.dataSync()[0]! / length).toBeGreaterThan(0.9);
    expect(penalty.dataSync()[0]! / length).toBeLessThan(1.1);
  });
});

describe('the average of G', () => {
  const latent = { size: 5, distribution: 'uniform' } as const;

  it('is a running mean in the first steps: all of a weight, then shares of it', () => {
    const network = sequential('generator', [1], [dense(1)]);
    const state = createNetworkState(network, () => Float32Array.of(1));
    const average = new Map([...state.weights].map(([name]) => [name, tf.zeros([1, 1])]));
    updateAverage(average, { ...state, steps: 1 }, 0.998);
    // (1 + 1) / (10 + 1) of 0 and the rest of 1
    expect(average.get('dense/kernel')!.dataSync()[0]).toBeCloseTo(9 / 11, 6);
    updateAverage(average, { ...state, steps: 100_000 }, 0.998);
    expect(average.get('dense/kernel')!.dataSync()[0]).toBeCloseTo((9 / 11) * 0.998 + 0.002, 6);
  });

  it('is normalized with the statistics of its own activations, whatever G has seen', () => {
    gan.average = copyWeights(gan.generator);
    step(gan);
    calibrateAverage(gan, { seed: 7, latent });
    const { network } = gan.generator;
    const latents = tf.tensor2d(createRandom('7/calibration latents').uniform(32 * 5), [32, 5]);
    const averaged = { ...gan.generator, weights: gan.average };
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
    const again = read({ weights: gan.average });
    calibrateAverage(gan, { seed: 7, latent });
    expect(read({ weights: gan.average })).toEqual(again);
  });
});
