import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  parseGivenOptions,
  presetOf,
  readConfigFile,
  resolveOptions,
  resumeOptions,
} from './options.ts';

describe('options', () => {
  it('are the article’s where nothing is given', () => {
    const options = resolveOptions({});
    expect(options).toMatchObject({
      preset: 'article',
      data: null,
      iterations: 200_000,
      batch: 32,
      backend: 'auto',
      seed: 0,
      saveEvery: 1_000,
      sampleEvery: 1_000,
      measureEvery: 2_000,
    });
    expect(options.name).toMatch(/^article-\d{4}-\d\d-\d\d-\d{6}$/);
  });

  it('come from flags as numbers', () => {
    expect(parseGivenOptions({ iterations: '3', batch: '4' }, 'flag')).toEqual({
      iterations: 3,
      batch: 4,
    });
  });

  it.each([
    [{ batch: '5' }, /^--batch: .*multiple of 2; it was "5"$/],
    [{ batch: '0' }, /^--batch: .*; it was "0"$/],
    [{ iterations: 'many' }, /^--iterations: .*number.*; it was "many"$/],
    [{ saveEvery: '-1' }, /^--save-every: .*; it was "-1"$/],
    [{ backend: 'cuda' }, /^--backend: .*"auto".*"tensorflow".*; it was "cuda"$/],
    [
      { augment: 'cutout,flip' },
      /^--augment: must be none or some of color,translation,cutout; it was "cutout,flip"$/,
    ],
    [
      { loss: 'wasserstein' },
      '--loss: must be one of logistic, hinge, relativistic; it was "wasserstein"',
    ],
    [{ minibatchDeviation: 'maybe' }, /^--minibatch-deviation: must be on or off; it was "maybe"$/],
    [{ seed: '' }, /^--seed: .*expected number.*; it was ""$/],
    [{ gradientPenalty: ' ' }, /^--gradient-penalty: .*expected number.*; it was " "$/],
    [{ imageSize: '96' }, '--image-size: must be one of 64, 128, 256; it was "96"'],
    [{ name: '../up' }, /^--name: must be 1 to 64 letters.*; it was "\.\.\/up"$/],
  ])('that are wrong are named: %j', (given, message) => {
    expect(() => parseGivenOptions(given, 'flag')).toThrow(message);
  });

  it('name the presets there are', () => {
    expect(() => parseGivenOptions({ preset: 'stylegan' }, 'flag')).toThrow(
      '--preset: must be one of article, lite; it was "stylegan"',
    );
  });

  it('of a config file name the file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'killme-')), 'config.json');
    writeFileSync(file, '{"iterations": 5, "saveEvry": 1}');
    await expect(readConfigFile(file)).rejects.toThrow(
      `${file}: unknown option "saveEvry"; there are: preset, data, imageSize, iterations,`,
    );
    writeFileSync(file, '{"iterations": 5');
    await expect(readConfigFile(file)).rejects.toThrow(`--config ${file} is no JSON: `);
    writeFileSync(file, '{"iterations": true}');
    await expect(readConfigFile(file)).rejects.toThrow(
      /iterations: .*expected number.*; it was true/,
    );
    writeFileSync(file, '[]');
    await expect(readConfigFile(file)).rejects.toThrow(`${file}: it must be a JSON object`);
    writeFileSync(file, '{"iterations": 5, "strict": true}');
    expect(await readConfigFile(file)).toEqual({ iterations: 5, strict: true });
  });

  it('of any length are refused in one short line', () => {
    const licence = `MIT\n${'a'.repeat(1_000_000)}`;
    const refuse = () => parseGivenOptions({ licence }, 'flag');
    expect(refuse).toThrow(
      /^--licence: must be one line of 1 to 256 characters.*"MIT\\na{70,80}…$/,
    );
  });

  it('of a run that goes on may not make it another run', () => {
    const options = resolveOptions({ name: 'first', seed: 3, iterations: 10 });
    expect(resumeOptions(options, { iterations: 20 })).toEqual({ ...options, iterations: 20 });
    expect(() => resumeOptions(options, { seed: 4 })).toThrow(
      '--seed 4 does not fit the run "first", which has 3',
    );
  });

  it('of preset lite are its methods too, kept when it goes on', () => {
    const given = parseGivenOptions({ augment: 'cutout', minibatchDeviation: 'off' }, 'flag');
    const options = resolveOptions({ ...given, preset: 'lite', name: 'first' });
    expect(options.methods).toMatchObject({ augment: ['cutout'], minibatchDeviation: false });
    expect(
      presetOf({ options, dataset: { classCounts: [4] } }).discriminator.layers.map(
        ({ layer }) => layer.type,
      ),
    ).not.toContain('minibatchDeviation');
    expect(parseGivenOptions({ augment: 'none' }, 'flag')).toEqual({ augment: [] });
    expect(resumeOptions(options, given)).toEqual(options);
    expect(() => resumeOptions(options, { augment: [] })).toThrow(
      '--augment none does not fit the run "first", which has cutout',
    );
    expect(() => resolveOptions(given)).toThrow(
      '--minibatch-deviation is an option of preset lite: omit it with preset article',
    );
  });

  it('of preset lite are the size of its images too, which stays', () => {
    const given = parseGivenOptions({ preset: 'lite', imageSize: '64', name: 'small' }, 'flag');
    const options = resolveOptions(given);
    expect(options.imageSize).toBe(64);
    expect(resumeOptions(options, {}).imageSize).toBe(64);
    const { generator, discriminator, encoder } = presetOf({
      options,
      dataset: { classCounts: [4] },
    });
    expect(generator.outputShape).toEqual([64, 64, 3]);
    expect([discriminator.inputShape, encoder!.inputShape]).toEqual([
      [64, 64, 3],
      [64, 64, 3],
    ]);
    expect(() => resumeOptions(options, { imageSize: 128 })).toThrow(
      '--image-size 128 does not fit the run "small", which has 64',
    );
    expect(resolveOptions({}).imageSize).toBe(128);
    expect(() => resolveOptions({ imageSize: 256 })).toThrow(
      'preset article has images of 128 × 128 only: omit --image-size, or choose --preset lite',
    );
  });

  it('of any preset are its learning rate', () => {
    const { training } = presetOf({
      options: resolveOptions({ learningRate: 5e-4 }),
      dataset: { classCounts: [4] },
    });
    expect(training.learningRate).toBe(5e-4);
    expect(resolveOptions({ preset: 'lite' }).learningRate).toBe(1e-3);
  });

  it('make a class-conditional GAN where there is more than one class', () => {
    const options = resolveOptions({ preset: 'lite' });
    const classesOf = (classCounts: number[]) => {
      const { latent, discriminator } = presetOf({ options, dataset: { classCounts } });
      return [latent.classes, discriminator.outputShape];
    };
    expect(classesOf([250, 96])).toEqual([[250, 96], [2]]);
    expect(classesOf([346])).toEqual([undefined, [1]]);
    expect(classesOf(new Array(51).fill(2))).toEqual([undefined, [1]]);
  });
});
