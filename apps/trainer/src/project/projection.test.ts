import {
  articleDiscriminator,
  articleGenerator,
  createRandom,
  dense,
  flatten,
  product,
  sequential,
} from '@killme/model';
import { applyNetwork } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../engines/start.ts';
import type { PlacedNetwork } from '../gan/network-state.ts';
import {
  type DescribedImages,
  describeImages,
  projectImage,
  projectionLosses,
} from './projection.ts';

beforeAll(async () => {
  await startEngine('wasm', () => {});
});

const space = { size: 5, distribution: 'uniform' } as const;
const SMALL = { imageSize: 16, width: 1 / 8 };

/** A network with random weights that keep the spread of what flows through them. */
function place(network: PlacedNetwork['network']): PlacedNetwork {
  const weights = network.weights.map(({ name, shape }): [string, tf.Tensor] => {
    const spread = name.endsWith('/kernel') ? Math.sqrt(3 / product(shape.slice(0, -1))) : 0.2;
    const centre = /gamma|variance/.test(name) ? 1 : 0;
    const random = createRandom(`projection/${name}`).uniform(product(shape));
    return [
      name,
      tf.tensor(
        random.map((value) => value * spread + centre),
        [...shape],
      ),
    ];
  });
  return { network, weights: new Map(weights) };
}

/** How far apart pictures are: the root of the mean squared difference. */
const difference = (a: tf.Tensor, b: tf.Tensor) =>
  tf.tidy(() => tf.sqrt(tf.mean(tf.squaredDifference(a, b))).dataSync()[0]!);

describe('projectImage', () => {
  const networks = () => ({
    generator: place(articleGenerator({ latentSize: space.size, ...SMALL })),
    discriminator: place(articleDiscriminator(SMALL)),
  });

  it('finds the latent of a picture that the generator itself has made', async () => {
    const { generator, discriminator } = networks();
    const render = (latent: Float32Array) =>
      tf.tidy(() => {
        const z = tf.tensor2d(latent, [1, space.size]);
        return applyNetwork(generator.network, generator.weights, z, { training: false });
      }) as tf.Tensor4D;
    const latents = Array.from({ length: 9 }, (_, i) => createRandom(`z/${i}`).uniform(space.size));
    const [image, ...others] = latents.map(render);
    const found = await projectImage({ generator, discriminator }, image!, {
      space,
      starts: 4,
      steps: 150,
      seed: 0,
    });
    const made = render(found.latent);
    // Nothing better than chance would be as far off as other samples are; a latent at the right
    // place is off by what the last steps still move and by float16: a hundredth of that.
    const chance = Math.min(...others.map((other) => difference(other, image!)));
    expect(difference(made, image!)).toBeLessThan(chance / 100);
    expect(found.loss).toBeLessThan(1e-4);
    found.latent.forEach((value, i) => {
      expect(Math.abs(value - latents[0]![i]!)).toBeLessThan(0.01);
    });
  });

  it('looks where the encoder says first, in every class', async () => {
    const conditional = { ...space, classes: [3, 4] };
    const { generator, discriminator } = networks();
    // 2Φ(0.5) − 1, 2Φ(−1) − 1 and 2Φ(0) − 1, whatever it is shown; then the class: the second one.
    const latent = Float32Array.of(0.3829, -0.6827, 0, -1, 1);
    // Means are 3 tanh(x / 3) of what it says: 0.5 and −1 of these.
    const says = [0.5047, -1.0397, 0];
    const network = sequential('encoder', [16, 16, 3], [flatten(), dense(6)]);
    const encoder = {
      network,
      weights: new Map([
        ['dense/kernel', tf.zeros([16 * 16 * 3, 6])],
        ['dense/bias', tf.tensor1d([...says, 0, 0, 0])],
      ]),
    };
    const image = tf.tidy(() =>
      applyNetwork(generator.network, generator.weights, tf.tensor2d(latent, [1, 5]), {
        training: false,
      }),
    ) as tf.Tensor4D;
    const search = { space: conditional, starts: 1, steps: 0, seed: 0 };
    const blind = await projectImage({ generator, discriminator }, image, search);
    const found = await projectImage({ generator, discriminator, encoder }, image, search);
    expect([...found.latent].map((value) => Number(value.toFixed(2)))).toEqual([
      0.38, -0.68, 0, -1, 1,
    ]);
    expect(found.loss).toBeLessThan(blind.loss / 10);
  });

  it('stays in the range of latents for a picture that no latent makes, and frees what it used', async () => {
    const { generator, discriminator } = networks();
    const image = tf.tensor4d(createRandom('noise').uniform(16 * 16 * 3), [1, 16, 16, 3]);
    const search = { space, starts: 2, steps: 30, seed: 0 };
    await projectImage({ generator, discriminator }, image, search);
    const before = tf.memory().numTensors;
    const found = await projectImage({ generator, discriminator }, image, search);
    expect(tf.memory().numTensors).toBe(before);
    expect(found.latent.every((value) => Math.abs(value) <= 1)).toBe(true);
    expect(found).toEqual(await projectImage({ generator, discriminator }, image, search));
    const other = await projectImage({ generator, discriminator }, image, { ...search, seed: 1 });
    expect(other.latent).not.toEqual(found.latent);
  });
});

describe('the loss of a projection', () => {
  it('is the angle between features, whatever their size, and half the square of pixels', async () => {
    const features = (...vectors: number[][]): DescribedImages['features'] => [
      tf.tensor4d(vectors.flat(), [1, 1, vectors.length, 2]),
    ];
    const pixels = (value: number) => tf.fill([1, 1, 1, 3], value) as tf.Tensor4D;
    const losses = projectionLosses(
      { pixels: pixels(0.5), features: features([1, 0], [0, 1]) },
      { pixels: pixels(0.1), features: features([0, 1], [0, 1]) },
    );
    // Square on one of two positions: (2 + 0) / 2; and 0.5 · 0.4².
    expect(losses.dataSync()[0]).toBeCloseTo(1 + 0.08, 6);
  });

  it('scales features to length 1 at each position, after each LeakyReLU', () => {
    const { network } = place(articleDiscriminator(SMALL));
    const { weights } = place(network);
    const image = tf.tensor4d(createRandom('x').uniform(16 * 16 * 3), [1, 16, 16, 3]);
    const { features } = describeImages({ network, weights }, image);
    expect(features.map(({ shape }) => shape.slice(1))).toEqual([
      [8, 8, 4],
      [5, 5, 8],
      [3, 3, 16],
      [3, 3, 32],
    ]);
    const [length] = tf.sum(tf.square(features[0]!), 3).dataSync();
    expect(length).toBeCloseTo(1, 4);
  });

  it('goes no further than a layer that compares the pictures of a batch', () => {
    const { layers } = articleDiscriminator(SMALL);
    const network = sequential(
      'discriminator',
      [16, 16, 3],
      [
        ...layers.slice(0, 2).map(({ layer }) => layer),
        { type: 'minibatchDeviation' },
        ...layers.slice(3, 6).map(({ layer }) => layer),
      ],
    );
    const image = tf.zeros([1, 16, 16, 3]) as tf.Tensor4D;
    expect(describeImages(place(network), image).features).toHaveLength(1);
  });
});
