import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { activation, dense, packGenerator, product, reshape, sequential } from '@killme/model';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createApp } from '../app.ts';
import { randomGeneratorFiles } from '../testing/index.ts';
import { diskOptions, loadAll, MOST_DOWNLOADS } from './disk.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-disk-`);
  const files = await randomGeneratorFiles({ imageSize: 32 });
  for (const [name, bytes] of files) await writeFile(`${folder}/${name}`, bytes);
});

afterAll(() => rm(folder, { recursive: true }));

describe('files of a generator', () => {
  it('are sent to so many at a time, and to others when one has ended', async () => {
    const app = createApp(diskOptions([{ name: 'random', folder }]));
    const ask = () => app.request('/generator/weights-0.bin');
    const open = await Promise.all(Array.from({ length: MOST_DOWNLOADS }, ask));
    expect(new Set(open.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await ask();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    await open[0]!.body!.cancel();
    expect((await open[1]!.arrayBuffer()).byteLength).toBeGreaterThan(0);
    const after = [await ask(), await ask()];
    expect(after.map(({ status }) => status)).toEqual([200, 200]);
    for (const { body } of [...open.slice(2), ...after]) await body!.cancel();
  });
});

describe('a generator that cannot render', () => {
  it('is refused before a server listens, with the reason', async () => {
    const broken = await mkdtemp(`${tmpdir()}/killme-broken-`);
    onTestFinished(() => rm(broken, { recursive: true }));
    for (const [name, bytes] of await overflowing()) {
      await writeFile(`${broken}/${name}`, bytes);
    }
    const { listGenerators } = diskOptions([
      { name: 'sound', folder },
      { name: 'broken', folder: broken },
    ]);
    await expect(loadAll(listGenerators)).rejects.toThrow(
      /^broken: the generator cannot render a picture: .*NaN/,
    );
  });
});

/** The files of a generator whose weights are numbers, and whose sums are ∞ − ∞. */
function overflowing() {
  const network = sequential(
    'generator',
    [100],
    [dense(8), dense(8 * 8 * 3), reshape(8, 8, 3), activation('tanh')],
  );
  const weights = network.weights.map(({ name, shape }) => {
    const values = Float32Array.from({ length: product(shape) }, (_, i) => (i % 2 ? 3e38 : -3e38));
    return [name, values] as const;
  });
  const training = { dataset: 'none', images: 1, iterations: 0, batchSize: 1, seed: 0 };
  return packGenerator({
    network,
    weights: new Map(weights),
    encoding: 'float32',
    facts: {
      preset: 'article',
      latent: { size: 100, distribution: 'uniform' },
      classes: [],
      training: { ...training, engine: 'none' },
    },
  });
}
