import { createRandom } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { compileBinaries } from '../runtimes/disk.ts';
import { randomGeneratorFiles } from '../testing/index.ts';
import { openGenerator } from './generator.ts';

const files = await randomGeneratorFiles();
const readFile = async (name: string) => files.get(name)!;

it('keeps no tensor of a picture', async () => {
  const { render } = await openGenerator({ readFile, loadBinaries: compileBinaries });
  const latent = createRandom('a').uniform(100);
  render(latent);
  const before = tf.memory().numTensors;
  render(latent);
  expect(tf.memory().numTensors).toBe(before);
  expect(tf.getBackend()).toBe('wasm');
});

it('refuses a damaged shard with one line that names it', async () => {
  const damaged = files.get('weights-0.bin')!.slice();
  damaged[1000]! ^= 1;
  const opening = openGenerator({
    readFile: async (name) => (name === 'weights-0.bin' ? damaged : readFile(name)),
    loadBinaries: compileBinaries,
  });
  await expect(opening).rejects.toThrow(/^weights-0\.bin is damaged .*again$/);
});
