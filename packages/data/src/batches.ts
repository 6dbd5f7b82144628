import type { Random } from '@killme/model';
import type { Dataset } from './dataset.ts';

export interface Batch {
  /** `[batchSize, imageSize, imageSize, 3]`, NHWC, RGB, -1 … 1: the article's `(x - 127.5) / 127.5`. */
  images: Float32Array;
  /** `[batchSize]`, class index of each image. */
  labels: Uint16Array;
}

/**
 * Samples images with replacement, as the article's `np.random.randint(0, count, batchSize)` does, so
 * a batch may be larger than the dataset.
 * @param random equal streams give equal batches.
 * @example sampleBatch({ dataset, batchSize: 16, random: createRandom(`${seed}/batch/${step}`) })
 */
export function sampleBatch({
  dataset,
  batchSize,
  random,
}: {
  dataset: Dataset;
  batchSize: number;
  random: Random;
}): Batch {
  return takeBatch(dataset, random.integers(batchSize, dataset.count));
}

/** The images at the given places, in the given order, scaled to -1 … 1; see {@link Batch}. */
export function takeBatch(dataset: Dataset, places: ArrayLike<number>): Batch {
  const pixels = dataset.imageSize * dataset.imageSize * 3;
  const images = new Float32Array(places.length * pixels);
  const labels = new Uint16Array(places.length);
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    labels[i] = dataset.labels[place]!;
    for (let p = 0; p < pixels; p++) {
      images[i * pixels + p] = (dataset.images[place * pixels + p]! - 127.5) / 127.5;
    }
  }
  return { images, labels };
}

/** Every place of the dataset once, in an order that `random` decides: one epoch. `[count]`. */
export function shuffled(dataset: Dataset, random: Random): Uint32Array {
  return random.permutation(dataset.count);
}

/** How many images each class has, `[classes.length]`. */
export function countLabels({ labels, classes }: Pick<Dataset, 'labels' | 'classes'>): number[] {
  const counts = classes.map(() => 0);
  for (const label of labels) counts[label]!++;
  return counts;
}

/**
 * Labels as the article's loader also gives them: `[labels.length, classes.length]`, 1 at the class,
 * else 0.
 */
export function oneHotLabels({
  labels,
  classes,
}: Pick<Dataset, 'labels' | 'classes'>): Float32Array {
  const width = classes.length;
  const oneHot = new Float32Array(labels.length * width);
  labels.forEach((label, i) => {
    oneHot[i * width + label] = 1;
  });
  return oneHot;
}
