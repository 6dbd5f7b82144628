/**
 * The inputs of a training step: real images, and random numbers. Each is a feed: when a recording of the
 * step is replayed it is sampled again, for the iteration of that time. Random numbers are named by seed,
 * purpose and iteration, so a resumed run samples the same.
 *
 * @module
 */
import { type Dataset, oneHotLabels, takeBatch } from '@killme/data';
import { createRandom, placeClasses, randomLatents } from '@killme/model';
import {
  type Augmentation,
  augmentNumbers,
  diffAugment,
  dropoutMask,
  maskKey,
  type Preset,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { feed } from '../engines/feed.ts';
import type { StateSlot } from '../engines/replay.ts';
import { placeImages } from '../engines/resident-images.ts';
import { normal } from '../gan/normal.ts';

/** Which iteration inputs are sampled for; `batch` is its batch size. */
export interface Place {
  seed: number;
  batch: number;
  iteration: number;
}

/** What random numbers are for, and in which part of the step. */
interface Use {
  purpose: 'dropout' | 'signs' | 'augment';
  part: string;
}

/** Samples inputs for the current place; the caller disposes of them. */
export interface Sampler {
  /** `realImages` `[batch / 2, height, width, 3]` in [-1, 1], and the latents of both parts of the step. */
  batch(): {
    realImages: tf.Tensor4D;
    discriminatorLatents: tf.Tensor2D;
    generatorLatents: tf.Tensor2D;
  };
  /** The one-hot classes of the real images, `[batch / 2, classes]`, of a class-conditional GAN. */
  classes(): tf.Tensor2D | undefined;
  /** 0 or 1 / (1 − rate), of the given shape. */
  dropoutMask(use: Use, shape: readonly number[], rate: number): tf.Tensor;
  augment(images: tf.Tensor4D, part: string, policy: readonly Augmentation[]): tf.Tensor4D;
  /** Standard normal, `[batch / 2, components]`. */
  encoderNoise(components: number): tf.Tensor2D;
  /** What a recorded step reads besides: the images, where the engine holds them. */
  slots: readonly StateSlot[];
  dispose(): void;
}

/** @param at the place that is current; the caller moves it on. */
export function createSampler(preset: Preset, dataset: Dataset, at: Readonly<Place>): Sampler {
  const half = at.batch / 2;
  const images = imageSampler(dataset, preset.imageSize, at);
  const { labels } = images;
  const latents = latentSampler(preset, at, labels);
  const nameOf = ({ purpose, part }: Use) => `${at.seed}/${purpose}/${at.iteration}/${part}`;
  return {
    batch: () => ({
      realImages: images.sample(),
      discriminatorLatents: latents('discriminator latents', half),
      generatorLatents: latents('generator latents', generatorBatch(preset, at.batch)),
    }),
    classes() {
      const { classes } = dataset;
      if (!preset.latent.classes) return undefined;
      const values = () => oneHotLabels({ labels: labels(), classes });
      return feed([half, classes.length], values) as tf.Tensor2D;
    },
    dropoutMask: (use, shape, rate) =>
      tf.tidy(() => {
        const key = feed([4], () => maskKey(nameOf(use)));
        return dropoutMask(shape, rate, key as tf.Tensor1D);
      }),
    augment: (images, part, policy) =>
      tf.tidy(() => {
        const numbers = feedAugment(() => nameOf({ purpose: 'augment', part }), images.shape);
        return diffAugment(images, numbers, policy);
      }),
    encoderNoise: (components) =>
      feed([half, components], () =>
        normal(createRandom(`${at.seed}/encoder noise/${at.iteration}`), half * components),
      ) as tf.Tensor2D,
    slots: images.slots,
    dispose: images.dispose,
  };
}

/** The real images of the current iteration, and their labels. */
function imageSampler(dataset: Dataset, imageSize: number, at: Readonly<Place>) {
  const half = at.batch / 2;
  const chosen = imageChooser(dataset, at);
  const resident = placeImages(dataset);
  return {
    sample(): tf.Tensor4D {
      if (!resident) {
        const pixels = () => takeBatch(dataset, chosen()).images;
        return feed([half, imageSize, imageSize, 3], pixels) as tf.Tensor4D;
      }
      const indices = feed([half], () => Int32Array.from(chosen())) as tf.Tensor1D;
      const images = resident.gather(indices);
      indices.dispose();
      return images;
    },
    labels: () => Uint16Array.from(chosen(), (index) => dataset.labels[index]!),
    slots: resident?.slots ?? [],
    dispose: () => resident?.dispose(),
  };
}

/** Latents of the classes of the real images, so that a relativistic loss compares images of one class. */
function latentSampler(preset: Preset, at: Readonly<Place>, labels: () => Uint16Array) {
  const { latent } = preset;
  return (purpose: LatentPurpose, count: number) =>
    feed([count, latent.size], () => {
      const values = sampleLatents(preset, { ...at, purpose, count });
      if (latent.classes) placeClasses(values, labels(), latent);
      return values;
    }) as tf.Tensor2D;
}

/** Which images the current iteration learns from, with replacement, chosen once. `[batch / 2]`. */
function imageChooser(dataset: Dataset, at: Readonly<Place>): () => Uint32Array {
  let chosen: { iteration: number; indices: Uint32Array } | undefined;
  return () => {
    const { seed, batch, iteration } = at;
    if (chosen?.iteration !== iteration) {
      const random = createRandom(`${seed}/real images/${iteration}`);
      chosen = { iteration, indices: random.integers(batch / 2, dataset.count) };
    }
    return chosen.indices;
  };
}

function feedAugment(name: () => string, shape: readonly number[]) {
  const count = shape[0]!;
  let numbers: ReturnType<typeof augmentNumbers>;
  const colors = feed([count, 3], () => {
    numbers = augmentNumbers(name(), shape);
    return numbers.colors;
  }) as tf.Tensor2D;
  const shifts = feed([count, 2], () => numbers.shifts) as tf.Tensor2D;
  return { colors, shifts, corners: feed([count, 2], () => numbers.corners) as tf.Tensor2D };
}

/** Images that G learns from in a step: a whole batch in the article's step, half of one in the lite step. */
export function generatorBatch({ training }: Preset, batch: number): number {
  return training.step === 'article' ? batch : batch / 2;
}

type LatentPurpose = 'discriminator latents' | 'generator latents';

/** The latents of an iteration one after the other, `[count × latent size]`, before classes are placed. */
export function sampleLatents(
  { latent }: Preset,
  {
    seed,
    iteration,
    purpose,
    count,
  }: { seed: number; iteration: number; purpose: LatentPurpose; count: number },
): Float32Array {
  return randomLatents(createRandom(`${seed}/${purpose}/${iteration}`), count, latent);
}
