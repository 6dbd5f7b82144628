import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { seedToLatent, toPixels } from '@killme/model';
import { applyNetwork, presetByName, registerTrainingKernels } from '@killme/model/training';
import { checkpointGenerator, readNewestCheckpoint } from '@killme/trainer';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectServer, type Server, startDeno, startWorkerd } from '../servers.ts';
import { type Outcome, runFolder, runTrainer, writeIcons } from './trainer.ts';

const run = `e2e-${process.pid}-way`;
const folder = runFolder(run);
const data = mkdtempSync(join(tmpdir(), 'killme-'));
const servers: Server[] = [];

let training: Outcome;
let exporting: Outcome;

beforeAll(async () => {
  await writeIcons(data, 12);
  const options = '--preset article --backend wasm --batch 4 --iterations 2 --seed 5'.split(' ');
  training = await runTrainer('train', '--data', data, '--name', run, ...options);
  const float32 = '--format generator --encoding float32'.split(' ');
  exporting = await runTrainer('export', '--run', run, ...float32);
}, 300_000);

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
  rmSync(data, { recursive: true });
});

const decode = (png: Uint8Array) => sharp(png).raw().toBuffer({ resolveWithObject: true });

async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('image/png');
  return new Uint8Array(await response.arrayBuffer());
}

/** The article's generator on a seed, layer by layer as the trainer runs it, on tfjs's cpu backend. */
async function trainersOwnPixels(seed: string): Promise<Uint8Array> {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
  const { generator, latent } = presetByName('article');
  const checkpoint = await readNewestCheckpoint(join(folder, 'checkpoints'), console.warn);
  const weights = [...checkpointGenerator(checkpoint!, generator)].map(([name, values]) => {
    const spec = generator.weights.find((weight) => weight.name === name);
    return [name, tf.tensor(values, [...spec!.shape])] as const;
  });
  const z = tf.tensor2d(seedToLatent(seed, latent), [1, latent.size]);
  const image = applyNetwork(generator, new Map(weights), z, { training: false });
  return toPixels(await image.data<'float32'>());
}

describe('from a folder of icons to an image from the edge', () => {
  it('trains with the article’s lines and leaves a whole run folder', async () => {
    expect(training.output).toMatch(
      /^engine: wasm on CPU, \d+ threads?, WebAssembly SIMD \(asked for\)$/m,
    );
    expect(training.output).toMatch(/^data: 12 images of .* \(01, 02\)$/m);
    expect(training.output).toMatch(
      /^1 \[D loss: \d+\.\d{6}, acc\.: \d+\.\d\d%\] \[G loss: \d+\.\d{6}\]$/m,
    );
    expect(training.status).toBe(0);
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['checkpoint-0000002.safetensors']);
    expect(readdirSync(join(folder, 'samples')).sort()).toEqual([
      'grid-0000000.png',
      'grid-0000002.png',
      'strip-0000000.png',
      'strip-0000002.png',
    ]);
    const grid = await sharp(join(folder, 'samples/grid-0000002.png')).metadata();
    expect([grid.width, grid.height]).toEqual([640, 640]);
    const strip = await sharp(join(folder, 'samples/strip-0000002.png')).metadata();
    expect([strip.width, strip.height]).toEqual([1280, 128]);
  });

  it('exports the generator, as int8 at the end and as float32 on demand', () => {
    expect(exporting.status).toBe(0);
    expect(exporting.output).toMatch(
      new RegExp(
        `^exported iteration 2 of run ${run}:\\n +[\\d.]+ MiB +${join(folder, 'generator')}\\n$`,
      ),
    );
    expect(existsSync(join(folder, 'generator/weights-2.bin'))).toBe(true);
  });

  it('serves from workerd what the trainer’s generator makes, within one level, and from Deno the same bytes', async () => {
    const generator = join(folder, 'generator');
    const started = await Promise.all([startWorkerd(generator), startDeno(generator)]);
    servers.push(...started.map(expectServer));
    const [workerd, deno] = servers.map(({ origin }) => origin);
    const png = await fetchBytes(`${workerd}/img?seed=alice`);
    const { data: served, info } = await decode(png);
    expect([info.width, info.height, info.channels]).toEqual([128, 128, 3]);

    const expected = await trainersOwnPixels('alice');
    const furthest = served.reduce(
      (most, level, i) => Math.max(most, Math.abs(level - expected[i]!)),
      0,
    );
    expect(furthest).toBeLessThanOrEqual(1);
    expect(new Set(served).size).toBeGreaterThan(10); // a plain picture would compare well with anything

    for (const path of ['/img?seed=alice', '/morph?from=alice&to=bob&steps=4']) {
      expect(await fetchBytes(`${deno}${path}`)).toEqual(await fetchBytes(`${workerd}${path}`));
    }
    const morph = await decode(await fetchBytes(`${workerd}/morph?from=alice&to=bob&steps=4`));
    expect([morph.info.width, morph.info.height]).toEqual([512, 128]);
  }, 180_000);
});

describe('from icons back to latents', () => {
  const icons = ['01/icon_000.png', '02/icon_001.png'].map((icon) => join(data, icon));
  const namesake = join(mkdtempSync(join(tmpdir(), 'killme-')), 'icon_000.png');
  beforeAll(() => copyFile(icons[1]!, namesake));
  afterAll(() => rm(dirname(namesake), { recursive: true }));

  const project = (...args: string[]) =>
    runTrainer(
      'project',
      ...args,
      '--run',
      run,
      '--backend',
      'wasm',
      '--steps',
      '1',
      '--starts',
      '1',
    );

  it('finds latents that the edge renders, and walks between', async () => {
    const { status, output } = await project(...icons);
    expect(output).toMatch(
      /^icon_000\.png: loss \d\.\d{4}, \d+\.\d of 255 levels off in the mean$/m,
    );
    expect(status).toBe(0);
    const projected = join(folder, 'projected');
    expect(readdirSync(projected).sort()).toEqual([
      'icon_000-to-icon_001.png',
      'icon_000.json',
      'icon_000.png',
      'icon_001.json',
      'icon_001.png',
    ]);
    const [address] = /\/morph\?zfrom=\S+/.exec(output)!;
    const [, zfrom, zto] = /zfrom=(.*)&zto=(.*)/.exec(address)!;
    const { z, loss } = JSON.parse(readFileSync(join(projected, 'icon_000.json'), 'utf8'));
    expect([z, loss > 0]).toEqual([zfrom, true]);
    expect(zto).not.toBe(zfrom);

    const pair = await sharp(join(projected, 'icon_000.png'))
      .extract({ left: 128, top: 0, width: 128, height: 128 })
      .raw()
      .toBuffer();
    const [{ origin }] = servers as [Server];
    const served = (await decode(await fetchBytes(`${origin}/img?z=${z}`))).data;
    const off = served.reduce((sum, level, i) => sum + Math.abs(level - pair[i]!), 0);
    // The server has float32 kernels here, the trainer 8-bit ones: 40 dB at least, so 2.55 levels.
    expect(off / served.length).toBeLessThan(2.55);
    const strip = await sharp(join(projected, 'icon_000-to-icon_001.png')).metadata();
    const walk = await decode(await fetchBytes(`${origin}${address}`));
    expect([strip.width, strip.height]).toEqual([walk.info.width, walk.info.height]);
  }, 180_000);

  it.each([
    ['a picture that is not there', ['nowhere.png'], /^error: there is no file .*nowhere\.png$/m],
    ['a folder', [join(data, '01')], /^error: .*01 is a folder: name a file in it$/m],
    [
      'what is no picture',
      [join(folder, 'options.json')],
      /^error: .*options\.json: its content is not an image/m,
    ],
    [
      'three pictures',
      [...icons, icons[0]!],
      /^error: it takes one picture, or two for a walk, not 3$/m,
    ],
    [
      'an output that is the picture',
      [icons[0]!, '--output', icons[0]!.replace(/png$/, 'json')],
      /^error: .*icon_000\.png would be written over the picture itself: give another --output$/m,
    ],
    [
      'two pictures of one name',
      [icons[0]!, namesake],
      /^error: .*icon_000\.png and .*icon_000\.png would both be written to .*: rename one of them$/m,
    ],
    [
      'one output for two',
      [...icons, '--output', 'x.json'],
      /^error: --output is for one picture/m,
    ],
  ])('refuses %s in one line', async (_, args, message) => {
    const { status, output } = await project(...args);
    expect(output).toMatch(message);
    expect(output).not.toContain('    at ');
    expect(status).toBe(1);
    expect(existsSync('x.json')).toBe(false);
  });
});

describe('what a user gets wrong is one line, a non-zero status, and nothing left behind:', () => {
  const name = `e2e-${process.pid}-wrong`;
  const cases: [string, string[], RegExp][] = [
    [
      'no such data',
      ['--data', join(data, 'nowhere')],
      /^error: .*nowhere does not exist: give a folder/m,
    ],
    [
      'an unknown preset',
      ['--preset', 'stylegan'],
      /^error: --preset: must be one of article, lite; it was "stylegan"$/m,
    ],
    [
      'a batch larger than the dataset',
      ['--data', data, '--batch', '14'],
      /^error: --batch 14 is larger than the dataset \(12 images in .*\): give a --batch of at most 12$/m,
    ],
    [
      'an engine that is not there',
      ['--data', data, '--batch', '4', '--backend', 'cuda'],
      /^error: --backend: .*it was "cuda"$/m,
    ],
    ['an option that does not exist', ['--iteration', '3'], /^error: unknown option '--iteration'/],
  ];

  it.each(cases)('%s', async (_, args, message) => {
    const { status, output } = await runTrainer('train', '--name', name, ...args);
    expect(output).toMatch(message);
    expect(output).not.toContain('    at ');
    expect(status).toBe(1);
    expect(existsSync(runFolder(name))).toBe(false);
  });

  it('a run that exists already', async () => {
    const { status, output } = await runTrainer(
      'train',
      '--data',
      data,
      '--batch',
      '4',
      '--name',
      run,
    );
    expect(output).toMatch(
      /^error: the run ".*" exists already .*: go on with it by --resume, or give another --name$/m,
    );
    expect(status).toBe(1);
  });
});
