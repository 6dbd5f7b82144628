// @module-tag slow
/**
 * `--image-size`: the smallest and the largest, from a folder of icons to the edge.
 *
 * @module
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedToLatent, toPixels } from '@killme/model';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectServer, type Server, startDeno } from '../servers.ts';
import { runFolder, runTrainer, writeIcons } from './trainer.ts';

const SIZES = [64, 256] as const;
const nameOf = (size: number) => `e2e-${process.pid}-size-${size}`;
const data = mkdtempSync(join(tmpdir(), 'killme-'));
/** Where the 8-bit files are kept that training writes. */
const kept = mkdtempSync(join(tmpdir(), 'killme-'));
let server: Server | undefined;

const train = (size: number, ...more: string[]) =>
  runTrainer(
    'train',
    ...['--name', nameOf(size), '--data', data, '--preset', 'lite', '--image-size', `${size}`],
    ...'--backend wasm --batch 2 --iterations 3 --warm-up 1 --mapping-steps 1 --save-every 3 --seed 3'.split(
      ' ',
    ),
    ...more,
  );

beforeAll(async () => {
  await tf.setBackend('cpu');
  await writeIcons(data, 8);
  for (const size of SIZES) {
    expect(await train(size)).toMatchObject({ status: 0 });
    const { generator } = foldersOf(size);
    cpSync(generator, join(kept, `int8-${size}`), { recursive: true });
    const formats = '--format generator tfjs --encoding float32'.split(' ');
    expect(await runTrainer('export', '--run', nameOf(size), ...formats)).toMatchObject({
      status: 0,
    });
  }
  const generators = SIZES.flatMap((size) => [
    `float32-${size}=${foldersOf(size).generator}`,
    `int8-${size}=${join(kept, `int8-${size}`)}`,
  ]);
  server = expectServer(await startDeno(generators));
}, 300_000);

afterAll(async () => {
  await server?.stop();
  for (const size of SIZES) rmSync(runFolder(nameOf(size)), { recursive: true, force: true });
  rmSync(data, { recursive: true });
  rmSync(kept, { recursive: true });
});

function foldersOf(size: number) {
  const root = runFolder(nameOf(size));
  return {
    generator: join(root, 'generator'),
    tfjs: join(root, 'tfjs'),
    samples: join(root, 'samples'),
    options: join(root, 'options.json'),
  };
}

const sidesOf = async (file: string | Uint8Array) => {
  const { width, height } = await sharp(file).metadata();
  return [width, height];
};

async function served(path: string): Promise<Uint8Array> {
  const response = await fetch(`${server!.origin}${path}`);
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

/** Seed `alice` by the layers of tfjs, from the model that is exported for it. */
async function byTfjs(size: number): Promise<Uint8Array> {
  const folder = foldersOf(size).tfjs;
  const { modelTopology, weightsManifest } = JSON.parse(
    readFileSync(join(folder, 'model.json'), 'utf8'),
  );
  const [{ paths, weights: weightSpecs }] = weightsManifest;
  const weightData = new Uint8Array(readFileSync(join(folder, paths[0]))).buffer;
  const artifacts = { modelTopology, weightSpecs, weightData };
  const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
  const space = JSON.parse(readFileSync(join(foldersOf(size).generator, 'generator.json'), 'utf8'));
  const latent = seedToLatent('alice', space.latent);
  const image = model.predict(tf.tensor2d(latent, [1, latent.length])) as tf.Tensor;
  expect(image.shape).toEqual([1, size, size, 3]);
  return toPixels(await image.data<'float32'>());
}

describe.each(SIZES)('a run of lite with images of %i pixels', (size) => {
  it('has samples of that size, and goes on', async () => {
    const { samples, options } = foldersOf(size);
    expect(await sidesOf(join(samples, 'grid-0000003.png'))).toEqual([5 * size, 5 * size]);
    expect(await sidesOf(join(samples, 'strip-0000003.png'))).toEqual([10 * size, size]);
    expect(JSON.parse(readFileSync(options, 'utf8')).options.imageSize).toBe(size);
    const more = ['--resume', '--iterations', '4'];
    expect(await runTrainer('train', '--name', nameOf(size), ...more)).toMatchObject({ status: 0 });
  }, 120_000);

  it('is served as the layers of tfjs render it: float32 within one level, 8 bits within 40 dB', async () => {
    const expected = await byTfjs(size);
    expect(new Set(expected).size).toBeGreaterThan(10); // not one colour, which anything renders alike
    const rendered = async (encoding: string) => {
      const png = await served(`/img?seed=alice&model=${encoding}-${size}`);
      expect(await sidesOf(png)).toEqual([size, size]);
      return sharp(png).raw().toBuffer();
    };
    const float32 = await rendered('float32');
    const most = float32.reduce(
      (max, level, i) => Math.max(max, Math.abs(level - expected[i]!)),
      0,
    );
    expect(most).toBeLessThanOrEqual(1);
    const int8 = await rendered('int8');
    const squares = int8.reduce((sum, level, i) => sum + (level - expected[i]!) ** 2, 0);
    expect(10 * Math.log10(255 ** 2 / (squares / int8.length))).toBeGreaterThan(40);
  }, 120_000);

  it('is served at any size, and in sheets and walks at the largest that fits', async () => {
    const of = async (path: string) => sidesOf(await served(`${path}&model=int8-${size}`));
    expect(await of('/img?seed=alice&size=512')).toEqual([512, 512]);
    const most = Math.min(size, 221); // 64 pictures have at most 3 · 2²⁰ pixels
    expect(await of('/grid?seed=alice&n=8')).toEqual([8 * most, 8 * most]);
    expect(await of('/morph?from=alice&to=bob&steps=3')).toEqual([3 * size, size]);
  }, 120_000);
});

it('is refused in one line with preset article', async () => {
  const name = `e2e-${process.pid}-size-wrong`;
  const options = ['--name', name, '--data', data, '--preset', 'article', '--image-size', '64'];
  const { status, output } = await runTrainer('train', ...options);
  expect(output).toBe(
    'error: preset article has images of 128 × 128 only: omit --image-size, or choose --preset lite\n',
  );
  expect(status).toBe(1);
  expect(existsSync(runFolder(name))).toBe(false);
});
