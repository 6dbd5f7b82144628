import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  articleGenerator,
  createRandom,
  type Encoding,
  loadGeneratorFile,
  packGenerator,
  product,
} from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  encodingFault,
  encodingTable,
  loadFloat32Generator,
  measureEncodings,
} from './measure-encodings.ts';

const network = articleGenerator({ latentSize: 8, imageSize: 16, width: 1 / 16 });
const weights = new Map(
  network.weights.map(({ name, shape }) => {
    const values = createRandom(name).uniform(product(shape));
    return [name, name.endsWith('variance') ? values.map((v) => v + 1.1) : values];
  }),
);

const pack = (encoding: Encoding) =>
  packGenerator({
    network,
    weights,
    encoding,
    facts: {
      preset: 'article',
      latent: { size: 8, distribution: 'uniform' },
      classes: [],
      training: { dataset: 'icons', engine: 'wasm' },
    },
  });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('measuring encodings', () => {
  it('finds float32 equal, float16 nearer than int8, and the files smaller', async () => {
    const files = await pack('float32');
    const file = await loadGeneratorFile(async (name) => files.get(name)!);
    const rows = await measureEncodings(file, 10);
    const [float32, float16, int8] = rows;
    expect(float32).toMatchObject({ encoding: 'float32', psnr: Infinity, largestDifference: 0 });
    expect(float16!.psnr).toBeGreaterThan(int8!.psnr);
    expect(int8!.psnr).toBeGreaterThan(int8!.lowestPsnr);
    expect(float16!.bytes).toBeLessThan(float32!.bytes);
    expect(int8!.bytes).toBeLessThan(float16!.bytes);
    expect(encodingTable(rows).split('\n')[2]).toMatch(
      /^\| float32 +\| .* \| +∞ \| +∞ \| +0 \| +0\.00 % \|$/,
    );
  });

  it('names an encoding that is too far from float32', () => {
    const sizes = {
      bytes: 1,
      gzipBytes: 1,
      brotliBytes: 1,
      largestDifference: 9,
      changedFraction: 1,
    };
    const row = { encoding: 'int8', ...sizes, psnr: 39.94, lowestPsnr: 30 } as const;
    expect(encodingFault([row])).toBe('int8 reaches 39.9 dB, where 40 are wanted');
    expect(encodingFault([{ ...row, psnr: 40 }])).toBeUndefined();
  });

  it('wants float32 to hold the others against', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'killme-'));
    for (const [name, bytes] of await pack('int8')) writeFileSync(join(folder, name), bytes);
    await expect(loadFloat32Generator(folder)).rejects.toThrow(/with --encoding float32$/);
    await expect(loadFloat32Generator(join(folder, 'other'))).rejects.toThrow(
      /there is no file .*generator\.json$/,
    );
    rmSync(folder, { recursive: true });
  });
});
