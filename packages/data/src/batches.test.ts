import { createRandom } from '@killme/model';
import { describe, expect, it } from 'vitest';
import { oneHotLabels, sampleBatch, shuffled, takeBatch } from './batches.ts';
import type { Dataset } from './dataset.ts';

/** Three images of one pixel each. */
const dataset: Dataset = {
  name: 'three',
  imageSize: 1,
  count: 3,
  images: Uint8Array.of(0, 0, 0, 255, 255, 255, 0, 127, 255),
  classes: ['a', 'b'],
  labels: Uint16Array.of(0, 1, 0),
  files: ['a/1.png', 'b/2.png', 'a/3.png'],
  omitted: [],
  fingerprint: '',
};

describe('takeBatch', () => {
  it("scales 0 … 255 to -1 … 1 by the article's formula", () => {
    const { images, labels } = takeBatch(dataset, [2, 1]);
    expect([...images]).toEqual([-1, Math.fround(-0.5 / 127.5), 1, 1, 1, 1]);
    expect([...labels]).toEqual([0, 1]);
  });
});

describe('sampleBatch', () => {
  const sample = (key: string) =>
    sampleBatch({ dataset, batchSize: 64, random: createRandom(key) });

  it('samples the same batch from the same seed, another from another', () => {
    expect(sample('7/batch/1')).toEqual(sample('7/batch/1'));
    expect(sample('7/batch/1')).not.toEqual(sample('7/batch/2'));
  });

  it('samples with replacement, so more than there are, and every image comes', () => {
    const { images, labels } = sample('7/batch/1');
    expect(images).toHaveLength(64 * 3);
    expect(labels).toHaveLength(64);
    expect(new Set(images.filter((_, i) => i % 3 === 1))).toEqual(
      new Set([-1, 1, Math.fround(-0.5 / 127.5)]),
    );
  });

  it('keeps each label with its image', () => {
    const { images, labels } = sample('7/batch/1');
    labels.forEach((label, i) => {
      expect(label).toBe(images[i * 3] === 1 ? 1 : 0);
    });
  });
});

describe('shuffled', () => {
  it('holds every place once, in an order that only the seed decides', () => {
    const order = shuffled({ ...dataset, count: 50 }, createRandom('7/epoch/0'));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(order).toEqual(shuffled({ ...dataset, count: 50 }, createRandom('7/epoch/0')));
    expect(order).not.toEqual(shuffled({ ...dataset, count: 50 }, createRandom('7/epoch/1')));
  });
});

describe('oneHotLabels', () => {
  it('has a 1 at the class of each image', () => {
    expect([...oneHotLabels(dataset)]).toEqual([1, 0, 0, 1, 1, 0]);
  });
});
