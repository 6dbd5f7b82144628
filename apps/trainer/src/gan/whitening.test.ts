import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import { type Dataset, oneHotLabels } from '@killme/data';
import {
  articleGenerator,
  createRandom,
  dense,
  flatten,
  sequential,
  WHITENING,
  withWhitening,
} from '@killme/model';
import { applyNetwork, registerTrainingKernels } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { copyWeights } from './ema.ts';
import { encodeImages } from './encoder.ts';
import type { Gan } from './gan.ts';
import { initializeNetwork, type NetworkState } from './network-state.ts';
import { normal } from './normal.ts';
import { SHARED_START, updateSharedStart, withSharedStart } from './shared-start.ts';
import { whitenLatents, whitensAfter } from './whitening.ts';

const SIDE = 8;
const COUNT = 300;
const COMPONENTS = 4;
const CLASSES = 2;

const labels = Uint16Array.from({ length: COUNT }, (_, i) => (i % 3 === 0 ? 1 : 0));

/** Noise of which all images of a class have much in common: the latents of it go together. */
const dataset: Dataset = {
  name: 'noise',
  imageSize: SIDE,
  count: COUNT,
  images: Uint8Array.from(createRandom('images').uniform(COUNT * SIDE * SIDE * 3), (value, i) =>
    i % 2 === 0 ? 230 - 150 * labels[Math.floor(i / (SIDE * SIDE * 3))]! : 127.5 + 127.5 * value,
  ),
  classes: ['bright', 'dark'],
  labels,
  files: Array.from({ length: COUNT }, (_, i) => `${i}.png`),
  omitted: [],
  fingerprint: '',
};

const images = () =>
  tf.tensor4d(
    Float32Array.from(dataset.images, (level) => (level - 127.5) / 127.5),
    [COUNT, SIDE, SIDE, 3],
  );

const oneHot = () => tf.tensor2d(oneHotLabels(dataset), [COUNT, CLASSES]);

/** Latents of every image, of noise that the whitening has not seen. */
function encoded(encoder: NetworkState): tf.Tensor2D {
  const values = normal(createRandom('other noise'), COUNT * COMPONENTS);
  const noise = () => tf.tensor2d(values, [COUNT, COMPONENTS]);
  const isConditional = encoder.weights.get(WHITENING.mean)!.shape[0] === CLASSES;
  return tf.tidy(() => {
    const classes = isConditional ? oneHot() : undefined;
    return encodeImages(encoder, { images: images(), noise, classes }).latents;
  });
}

/** Their mean, and their covariance as a fraction of that of uniform(-1, 1), which has ⅓ and no other. */
function moments(latents: tf.Tensor2D): { mean: number[]; covariance: number[][] } {
  const mean = tf.mean(latents, 0);
  const centred = tf.sub<tf.Tensor2D>(latents, mean);
  const covariance = tf.div(tf.matMul(centred, centred, true), latents.shape[0] / 3);
  return {
    mean: [...mean.dataSync()],
    covariance: covariance.arraySync() as number[][],
  };
}

/** Of the latents of a class. */
function classMoments(encoder: NetworkState, label: number) {
  const rows = [...labels].flatMap((other, row) => (other === label ? [row] : []));
  return moments(tf.gather(encoded(encoder), tf.tensor1d(rows, 'int32')));
}

/** The images of G, or of its EMA, for the latents of all images. */
function rendered(
  { generator }: Gan,
  encoder: NetworkState,
  weights = generator.weights,
): Float32Array {
  return tf.tidy(() => {
    const isConditional = generator.network.inputShape[0]! > COMPONENTS;
    const condition = isConditional ? [tf.sub<tf.Tensor2D>(tf.mul(oneHot(), 2), 1)] : [];
    const latents = tf.concat([encoded(encoder), ...condition], 1);
    const shown = applyNetwork(generator.network, weights, latents, { training: false });
    return shown.dataSync<'float32'>();
  });
}

function expectUniform({ mean, covariance }: ReturnType<typeof moments>): void {
  for (let i = 0; i < COMPONENTS; i++) {
    expect(Math.abs(mean[i]!)).toBeLessThan(0.05);
    for (let j = 0; j < COMPONENTS; j++) {
      expect(Math.abs(covariance[i]![j]! - (i === j ? 1 : 0))).toBeLessThan(0.15);
    }
  }
}

const farthest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

let gan: Gan;
let encoder: NetworkState;

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

/** @param classes of a class-conditional G and encoder; 0 for none */
function begin(classes: number, { sharedStart = false } = {}): void {
  const latentSize = COMPONENTS + classes;
  const plain = articleGenerator({ latentSize, imageSize: SIDE, width: 1 / 16 });
  const network = sharedStart ? withSharedStart(plain) : plain;
  const initialize = (key: string) => {
    const state = initializeNetwork(network, key);
    updateSharedStart(state);
    return state;
  };
  const generator = initialize('generator');
  const layers = [flatten(), dense(2 * COMPONENTS)];
  encoder = initializeNetwork(
    withWhitening(sequential('encoder', [SIDE, SIDE, 3], layers), Math.max(1, classes)),
    'encoder',
  );
  // Its EMA has other weights.
  const ema = copyWeights(initialize('ema'));
  gan = { generator, discriminator: generator, encoder, ema };
}

beforeEach(() => begin(CLASSES));

describe('whitenLatents', () => {
  const whiten = (key = '1/250') => whitenLatents(gan, encoder, { dataset, key });

  it('leaves the latents of real images with the covariance of uniform(-1, 1), each class with mean 0', async () => {
    const off = (label: number) => Math.max(...classMoments(encoder, label).mean.map(Math.abs));
    expect(Math.max(off(0), off(1))).toBeGreaterThan(0.2); // they are far from it
    await whiten();
    expect(Math.max(off(0), off(1))).toBeLessThan(0.1);
    expectUniform(moments(encoded(encoder)));
  });

  it('has one mean for all images where G is not class-conditional', async () => {
    begin(0);
    const before = rendered(gan, encoder);
    await whiten();
    expectUniform(moments(encoded(encoder)));
    expect(farthest(rendered(gan, encoder), before)).toBeLessThan(1e-4);
  });

  it('leaves the images of G and of its EMA for the latents of real images as they are', async () => {
    const { ema } = gan;
    const before = [rendered(gan, encoder), rendered(gan, encoder, ema)];
    const kernel = encoder.weights.get(WHITENING.kernel)!.dataSync();
    for (const key of ['1/250', '1/500']) await whiten(key);
    expect(encoder.weights.get(WHITENING.kernel)!.dataSync()).not.toEqual(kernel);
    expect(farthest(rendered(gan, encoder), before[0]!)).toBeLessThan(1e-4);
    expect(farthest(rendered(gan, encoder, ema), before[1]!)).toBeLessThan(1e-4);
  });

  it('leaves them as they are where the cells of the first layer share their kernel', async () => {
    begin(CLASSES, { sharedStart: true });
    const before = [rendered(gan, encoder), rendered(gan, encoder, gan.ema)];
    const shared = gan.generator.weights.get(SHARED_START.kernel)!.dataSync();
    await whiten();
    expect(gan.generator.weights.get(SHARED_START.kernel)!.dataSync()).not.toEqual(shared);
    expect(farthest(rendered(gan, encoder), before[0]!)).toBeLessThan(1e-4);
    expect(farthest(rendered(gan, encoder, gan.ema), before[1]!)).toBeLessThan(1e-4);
  });

  it('puts the components in the order of how much they say of an image, where it is asked to', async () => {
    // The first component is the least certain of four.
    encoder.weights.set('dense/bias', tf.tensor1d([0, 0, 0, 0, 0, 1, 3, 5]));
    const before = rendered(gan, encoder);
    await whitenLatents(gan, encoder, { dataset, key: '1/500', ordered: true });
    expect(farthest(rendered(gan, encoder), before)).toBeLessThan(1e-4);
    expectUniform(moments(encoded(encoder)));
    // Of each component the variance within an image, by 8 samples of each.
    const variances = tf.tidy(() => {
      const random = createRandom('more noise');
      const samples = Array.from({ length: 8 }, () => {
        const noise = () => tf.tensor2d(normal(random, COUNT * COMPONENTS), [COUNT, COMPONENTS]);
        return encodeImages(encoder, { images: images(), noise, classes: oneHot() }).latents;
      });
      return tf.mean(tf.moments(tf.stack(samples), 0).variance, 0).dataSync();
    });
    expect([...variances]).toEqual([...variances].sort((a, b) => a - b));
    expect(variances.at(-1)! / variances[0]!).toBeGreaterThan(1.5);
  });

  it('changes nothing where latents are white already', async () => {
    await whiten();
    const once = gan.generator.weights.get('dense/kernel')!.dataSync<'float32'>();
    await whiten();
    const twice = gan.generator.weights.get('dense/kernel')!.dataSync<'float32'>();
    expect(farthest(twice, once)).toBeLessThan(1e-5);
  });

  it('stretches the moments of Adam as gradients are, and leaves those of the class', async () => {
    const name = 'dense/kernel';
    const kernel = () => gan.generator.weights.get(name)!.arraySync() as number[][];
    const units = gan.generator.weights.get(name)!.shape[1]!;
    const ones = () => tf.ones([COMPONENTS + CLASSES, units]);
    gan.generator.moments.set(name, { first: ones(), second: ones() });
    // So that each component has its own stretch: a latent z becomes s z, a gradient as well.
    const old = encoder.weights.get('dense/kernel')!;
    encoder.weights.set('dense/kernel', tf.mul(old, 0));
    encoder.weights.set('dense/bias', tf.tensor1d([0, 0, 0, 0, 0, 1, 3, 5]));
    const before = kernel();
    await whiten();
    const after = kernel();
    const { first, second } = gan.generator.moments.get(name)!;
    const firsts = first.arraySync() as number[][];
    const seconds = second.arraySync() as number[][];
    for (let i = 0; i < COMPONENTS; i++) {
      const stretch = encoder.weights.get(WHITENING.kernel)!.dataSync()[i * (COMPONENTS + 1)]!;
      expect(stretch).toBeGreaterThan(1);
      const fractions = [
        firsts[i]![0]! / stretch,
        seconds[i]![0]! / stretch ** 2,
        Math.hypot(...before[i]!) / Math.hypot(...after[i]!) / stretch,
      ];
      for (const fraction of fractions) expect(Math.abs(fraction - 1)).toBeLessThan(0.15);
    }
    expect(
      firsts
        .slice(COMPONENTS)
        .flat()
        .every((value) => value === 1),
    ).toBe(true);
  });

  it('frees what it no longer needs', async () => {
    await whiten();
    const { numTensors } = tf.memory();
    await whiten();
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe('whitensAfter', () => {
  it('is every 250 iterations of the warm-up, and at its end, but not beyond', () => {
    const of = (warmUp: number, latentWhitening = true) =>
      Array.from({ length: 1000 }, (_, i) => i + 1).filter((done) =>
        whitensAfter(done, { latentWhitening, warmUp }),
      );
    expect(of(600)).toEqual([250, 500, 600]);
    expect(of(3)).toEqual([3]);
    expect(of(0)).toEqual([]);
    expect(of(600, false)).toEqual([]);
  });
});
