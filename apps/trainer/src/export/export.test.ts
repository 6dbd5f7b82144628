import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeWeight, loadGeneratorFile } from '@killme/model';
import { readKerasGenerator } from '@killme/model/keras';
import { presetByName } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initializeNetwork } from '../gan/network-state.ts';
import { saveCheckpoint } from '../run/checkpoint.ts';
import { createRunFolder, type RunFolder, runFolder } from '../run/folder.ts';
import { trainOptionsSchema } from '../run/options.ts';
import { writeRunRecord } from '../run/record.ts';
import { EXPORT_FORMATS, exportCheckpoint } from './export.ts';

const preset = presetByName('lite');
let runs: string;
let folder: RunFolder;

beforeAll(async () => {
  await tf.setBackend('cpu');
  runs = mkdtempSync(join(tmpdir(), 'killme-'));
  folder = runFolder('mine', runs);
  await createRunFolder(folder);
  const options = trainOptionsSchema.parse({
    preset: 'lite',
    learningRate: 0.001,
    data: null,
    iterations: 3,
    batch: 8,
    backend: 'wasm',
    seed: 1,
    name: 'mine',
    saveEvery: 1,
    sampleEvery: 1,
    measureEvery: 0,
    patience: 0,
    strict: false,
  });
  const dataset = {
    name: 'icons',
    count: 9,
    classes: ['icons'],
    classCounts: [9],
    fingerprint: '',
  };
  await writeRunRecord(folder, { options, dataset, engines: ['wasm'] });
  await saveCheckpoint(
    folder.checkpoints,
    { iteration: 3 },
    {
      generator: initializeNetwork(preset.generator, 'generator'),
      discriminator: initializeNetwork(preset.discriminator, 'discriminator'),
      ema: undefined,
    },
  );
});
afterAll(() => {
  rmSync(runs, { recursive: true });
});

const filesOf = (name: string) => readdirSync(join(folder.root, name)).sort();

describe('exporting a run', () => {
  it('writes what the edge, Keras, tfjs and other engines read', async () => {
    const done = await exportCheckpoint({ folder, formats: EXPORT_FORMATS, encoding: 'float32' });
    expect(done.iteration).toBe(3);
    expect(done.folders.map(({ path }) => path)).toEqual(
      ['generator', 'keras', 'tfjs', 'onnx'].map((name) => join(folder.root, name)),
    );
    expect(filesOf('generator')).toEqual(['generator.json', 'weights-0.bin']);
    expect(filesOf('keras')).toEqual([
      // Its discriminator has a layer that Keras has not.
      'generator.h5',
      'generator.keras',
      'generator.weights.h5',
    ]);
    expect(filesOf('tfjs')).toEqual(['group1-shard1of1.bin', 'model.json']);
    expect(filesOf('onnx')).toEqual(['generator.onnx']);
  });

  it('writes the same weights for Keras as for the edge', async () => {
    const file = await loadGeneratorFile(
      async (name) => new Uint8Array(readFileSync(join(folder.generator, name))),
    );
    const bytes = readFileSync(join(folder.root, 'keras/generator.h5'));
    const { network, weights } = await readKerasGenerator(bytes, { file: 'generator.h5' });
    expect(network).toEqual(preset.generator);
    for (const [name, values] of weights) {
      expect(decodeWeight(file.weights.get(name)!)).toEqual(values);
    }
  });

  it('says under what its images may be used: as asked, or as the stand-in characters are', async () => {
    const rightsIn = async (rights = {}) => {
      await exportCheckpoint({ folder, formats: ['generator'], encoding: 'int8', rights });
      const { manifest } = await loadGeneratorFile(
        async (name) => new Uint8Array(readFileSync(join(folder.generator, name))),
      );
      return [manifest.licence, manifest.credit];
    };
    expect(await rightsIn()).toEqual(['CC-BY-4.0', expect.stringMatching(/Lisa Wischofsky/)]);
    expect(await rightsIn({ licence: 'CC0-1.0', credit: 'Alice' })).toEqual(['CC0-1.0', 'Alice']);
    await expect(rightsIn({ licence: 'a\nb' })).rejects.toThrow(
      /^--licence must be one line of 1 to 256 characters/,
    );
  });

  it('writes only the formats asked for', async () => {
    const written = () => statSync(join(folder.root, 'keras')).ino;
    const before = written();
    const { folders } = await exportCheckpoint({ folder, formats: ['onnx'], encoding: 'int8' });
    expect(folders.map(({ path }) => path)).toEqual([join(folder.root, 'onnx')]);
    expect(written()).toBe(before);
  });
});
