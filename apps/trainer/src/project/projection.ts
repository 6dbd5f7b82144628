/**
 * From a picture back to a latent: the article's noise vector is the bottleneck of an autoencoder,
 * its decoder the generator. Where the run has an encoder it says where to look first; gradient
 * descent finds the place, from there or, without one, from the best of many random latents.
 * (Creswell & Bharath 2016, arXiv:1611.05644; Lipton & Tripathi 2017, arXiv:1702.04782, whose
 * clipping keeps latents in the range that the generator was trained on.)
 *
 * @module
 */
import {
  createRandom,
  decodeLatent,
  encodeLatent,
  type LatentSpace,
  placeClasses,
  randomLatents,
  stackLatents,
} from '@killme/model';
import { applyNetwork } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { encodePosterior, samplePosterior, whiten } from '../gan/encoder.ts';
import type { PlacedNetwork } from '../gan/network-state.ts';
import { descendLatents } from './descend.ts';
import { unmapLatent } from './unmap.ts';

/** Adam's rate on latents; it falls to zero as a half cosine. */
const RATE = 0.1;

/** Random latents that are looked at for each one that descent starts from. */
const LOOKED_AT = 8;

/** Weight of the mean squared difference of pixels (of [-1, 1]) in the loss. */
const PIXEL_WEIGHT = 0.5;

/** Pictures that pass the networks together. */
const BATCH = 8;

export interface ProjectionNetworks {
  generator: PlacedNetwork;
  discriminator: PlacedNetwork;
  encoder?: PlacedNetwork | undefined;
}

export interface Projection {
  /** `[space.size]`, in [-1, 1], rounded as its text holds it. */
  latent: Float32Array;
  /** What {@link projectionLosses} says of it; 0 is the same picture. */
  loss: number;
}

/**
 * The latent whose picture is the nearest found to a given one.
 *
 * @param image `[1, height, width, 3]` in [-1, 1]; the caller disposes of it.
 * @param options.starts descents, from the best of {@link LOOKED_AT} times as many random latents and of
 *   what the encoder says.
 * @param options.seed fixes these.
 * @param options.progress is called after each step, 1 … steps.
 */
export async function projectImage(
  networks: ProjectionNetworks,
  image: tf.Tensor4D,
  {
    space,
    starts,
    steps,
    seed,
    progress = () => {},
  }: {
    space: LatentSpace;
    starts: number;
    steps: number;
    seed: number;
    progress?: (step: number) => void;
  },
): Promise<Projection> {
  const target = tf.tidy(() => describeImages(networks.discriminator, image));
  try {
    const encoded = await encoderLatents(networks, image, space);
    const first = await sampleStarts(networks, target, { space, starts, seed, encoded });
    const found = await descend(networks, target, first, { space, steps, progress });
    const latents = found.map((latent) => decodeLatent(encodeLatent(latent), space));
    const losses = await lossesOf(networks, target, latents);
    const best = losses.indexOf(Math.min(...losses));
    return { latent: latents[best]!, loss: losses[best]! };
  } finally {
    tf.dispose([target.pixels, ...target.features]);
  }
}

/** A picture as the loss sees it: its pixels, and D's features of it. */
export type DescribedImages = {
  /** `[batch, height, width, 3]` */
  pixels: tf.Tensor4D;
  /** `[batch, height, width, channels]` of several layers, each vector of channels of length 1. */
  features: tf.Tensor4D[];
};

/**
 * D's features after each of its LeakyReLUs that sees one picture alone, in inference mode. Each position's channels are scaled to
 * length 1, so that no layer counts for its size (as LPIPS does: Zhang et al. 2018, arXiv:1801.03924).
 */
export function describeImages(
  { network, weights }: PlacedNetwork,
  images: tf.Tensor4D,
): DescribedImages {
  const features: tf.Tensor4D[] = [];
  let x: tf.Tensor = images;
  let start = 0;
  for (const [i, { layer }] of network.layers.entries()) {
    if (layer.type === 'minibatchDeviation') break; // beyond it a picture depends on the others
    if (layer.type !== 'leakyRelu') continue;
    const part = { ...network, layers: network.layers.slice(start, i + 1) };
    x = applyNetwork(part, weights, x, { training: false });
    start = i + 1;
    if (x.rank === 4) features.push(unitLength(x as tf.Tensor4D));
  }
  return { pixels: tf.clone(images), features };
}

function unitLength(x: tf.Tensor4D): tf.Tensor4D {
  const length = tf.sqrt(tf.add(tf.sum(tf.square(x), 3, true), 1e-8));
  return tf.div(x, length);
}

/**
 * How far pictures are from a target: the squared distance of D's features, the mean over positions
 * and then over layers (0 … 4), plus PIXEL_WEIGHT times the mean squared difference of pixels.
 * @returns `[batch]`
 */
export function projectionLosses(made: DescribedImages, target: DescribedImages): tf.Tensor1D {
  const perceptual = made.features.map((features, i) => {
    const squares = tf.squaredDifference(features, target.features[i]!);
    return tf.mean(tf.sum(squares, 3), [1, 2]);
  });
  const pixels = tf.mean(tf.squaredDifference(made.pixels, target.pixels), [1, 2, 3]);
  const layers = Math.max(1, perceptual.length);
  return perceptual.reduce(
    (sum, one) => tf.add(sum, tf.div(one, layers)),
    tf.mul(pixels, PIXEL_WEIGHT),
  ) as tf.Tensor1D;
}

const lossesOnDevice = (
  { generator, discriminator }: ProjectionNetworks,
  target: DescribedImages,
  latents: tf.Tensor2D,
): tf.Tensor1D => {
  const made = applyNetwork(generator.network, generator.weights, latents, { training: false });
  return projectionLosses(describeImages(discriminator, made as tf.Tensor4D), target);
};

async function lossesOf(
  networks: ProjectionNetworks,
  target: DescribedImages,
  latents: readonly Float32Array[],
): Promise<number[]> {
  const losses: number[] = [];
  for (let start = 0; start < latents.length; start += BATCH) {
    const batch = latents.slice(start, start + BATCH).map((latent) => [...latent]);
    const part = tf.tidy(() => lossesOnDevice(networks, target, tf.tensor2d(batch)));
    losses.push(...(await part.data<'float32'>()));
    part.dispose();
  }
  return losses;
}

/** The latents that the encoder gives for an image, in each of the classes: it does not know which. */
async function encoderLatents(
  { generator, encoder }: Pick<ProjectionNetworks, 'generator' | 'encoder'>,
  image: tf.Tensor4D,
  space: LatentSpace,
): Promise<Float32Array[]> {
  if (!encoder) return [];
  const labels = space.classes?.map((_, label) => label) ?? [undefined];
  const encoded = tf.tidy(() => {
    const posterior = encodePosterior(encoder, image);
    const sampled = samplePosterior(posterior, tf.zerosLike(posterior.mean));
    return labels.map((label) => {
      const classes =
        label === undefined
          ? undefined
          : (tf.oneHot([label], labels.length, 1, 0, 'float32') as tf.Tensor2D);
      return whiten(encoder.weights, sampled, classes);
    });
  });
  return Promise.all(
    labels.map(async (label, i) => {
      const latent = new Float32Array(space.size);
      latent.set(await encoded[i]!.data<'float32'>());
      encoded[i]!.dispose();
      if (label !== undefined) placeClasses(latent, [label], space);
      return unmapLatent(generator, latent, space);
    }),
  );
}

async function sampleStarts(
  networks: ProjectionNetworks,
  target: DescribedImages,
  {
    space,
    starts,
    seed,
    encoded,
  }: { space: LatentSpace; starts: number; seed: number; encoded: readonly Float32Array[] },
): Promise<Float32Array[]> {
  const random = createRandom(`killme/projection/v1/${seed}`);
  const candidates = [
    ...encoded,
    ...Array.from({ length: starts * LOOKED_AT }, () => randomLatents(random, 1, space)),
  ];
  const losses = await lossesOf(networks, target, candidates);
  const order = candidates.map((_, i) => i).sort((a, b) => losses[a]! - losses[b]!);
  return order.slice(0, starts).map((i) => candidates[i]!);
}

interface Descent {
  space: LatentSpace;
  steps: number;
  progress: (step: number) => void;
}

/** Adam from each start; each latent has its own gradient, so they go down apart. Classes stay what they are. */
async function descend(
  networks: ProjectionNetworks,
  target: DescribedImages,
  starts: readonly Float32Array[],
  { space, steps, progress }: Descent,
): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  const batches = Math.ceil(starts.length / BATCH);
  const { size, classes = [] } = space;
  const moves = Array.from({ length: size }, (_, z) => z < size - classes.length);
  for (let batch = 0; batch < batches; batch++) {
    const part = starts.slice(batch * BATCH, (batch + 1) * BATCH);
    const values = await descendLatents(
      stackLatents(part),
      (latents) => lossesOnDevice(networks, target, latents),
      {
        steps,
        moves,
        // On its way down to zero.
        rateAt: (step) => RATE * 0.5 * (1 + Math.cos((Math.PI * (step - 1)) / steps)),
        progress: (step) => progress((batch * steps + step) / batches),
      },
    );
    found.push(...part.map((_, i) => values.slice(i * size, (i + 1) * size)));
  }
  return found;
}
