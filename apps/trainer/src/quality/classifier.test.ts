import { mkdtempSync, readdirSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '@killme/data';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWasm } from '../engines/wasm/wasm.ts';
import { classify, datasetClassifier } from './classifier.ts';
import { splitReal, takeImages } from './image-set.ts';
import { referenceImages } from './testing/reference.ts';

beforeAll(async () => {
  await startWasm();
});

/** Noise in three classes: as it is, dark, and with a white upper half. */
function dataset(fingerprint: string): Dataset {
  const count = 60;
  const set = referenceImages('a', count);
  const size = set.imageSize ** 2 * 3;
  const labels = Uint16Array.from({ length: count }, (_, i) => i % 3);
  set.images.forEach((level, i) => {
    const label = labels[Math.floor(i / size)];
    if (label === 1) set.images[i] = level >> 1;
    if (label === 2 && i % size < size / 2) set.images[i] = 255;
  });
  const classes = ['noise', 'dark', 'sky'];
  return { ...set, name: 'noise', labels, classes, files: [], omitted: [], fingerprint };
}

describe('the classifier of a dataset', () => {
  const cacheDir = mkdtempSync(join(tmpdir(), 'killme-'));
  const data = dataset('ab'.repeat(32));
  const halves = splitReal(data.count, 0);
  const trained: string[] = [];
  const get = () =>
    datasetClassifier({
      dataset: data,
      halves,
      seed: 0,
      cacheDir,
      log: (line) => {
        if (line.startsWith('training a classifier')) trained.push(line);
      },
    });

  it('tells apart images that it has not seen, and knows what it takes them for', async () => {
    const classifier = await get();
    expect(classifier.heldOutAccuracy).toBe(1);
    const skies = [...halves.heldOut].filter((place) => data.labels[place] === 2);
    const { labels, features } = await classify(classifier, takeImages(data, skies));
    expect([...labels]).toEqual(skies.map(() => 2));
    expect(features).toMatchObject({ count: skies.length, size: 128 });
  });

  it('is trained once, and again only when what was kept is damaged', async () => {
    const first = await get();
    expect(trained).toHaveLength(1);
    const again = await get();
    expect(trained).toHaveLength(1);
    expect([...again.weights]).toEqual([...first.weights]);
    const [folder] = readdirSync(join(cacheDir, 'classifiers'));
    truncateSync(join(cacheDir, 'classifiers', folder!, 'weights.bin'), 100);
    expect([...(await get()).weights]).toEqual([...first.weights]);
    expect(trained).toHaveLength(2);
  });

  it('leaves nothing in the engine’s memory', async () => {
    const classifier = await get();
    const before = tf.memory().numTensors;
    await classify(classifier, data);
    expect(tf.memory().numTensors).toBe(before);
  });
});
