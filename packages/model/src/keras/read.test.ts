import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { articleGenerator, encodeWeight, UserError } from '../index.ts';
import { compileGenerator } from '../inference/index.ts';
import type { ImportedGenerator } from '../networks/imported.ts';
import { type Hdf5Group, hdf5Group, readHdf5, writeHdf5 } from './hdf5.ts';
import { readKerasGenerator } from './index.ts';

/** Files and predictions of real Keras, and the scripts that made them. */
const REFERENCE = resolve(import.meta.dirname, '../../../../test/reference');

const bytesOf = (path: string) => new Uint8Array(readFileSync(join(REFERENCE, path)));
const jsonOf = (path: string) => JSON.parse(readFileSync(join(REFERENCE, path), 'utf8'));
const narrow = articleGenerator({ imageSize: 32, width: 1 / 16 });

function rendered({ network, weights }: ImportedGenerator, latents: number[][]): Float32Array {
  const stored = network.weights.map(
    ({ name, shape }) => [name, encodeWeight(weights.get(name)!, shape, 'float32')] as const,
  );
  const images = compileGenerator(network, new Map(stored)).generate(
    Float32Array.from(latents.flat()),
    latents.length,
  );
  return images.dataSync<'float32'>();
}

function largestDifference(ours: Float32Array, theirs: number[]): number {
  expect(ours.length).toBe(theirs.length);
  return theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i]!)), 0);
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a generator that Keras saved predicts here what it predicts there:', () => {
  it.each(['generator.h5', 'generator.keras', 'generator.weights.h5'])(
    'Keras 3, %s',
    async (file) => {
      const generator = await readKerasGenerator(bytesOf(`keras/${file}`), {
        file,
        architecture: narrow,
      });
      const { latents, images } = jsonOf('keras/generator.json');
      expect(generator.network).toEqual(narrow);
      expect(largestDifference(rendered(generator, latents), images)).toBeLessThan(1e-5);
    },
  );

  it('Keras 2.2.4, the article’s Model around a Sequential', async () => {
    const file = 'generator.h5';
    const generator = await readKerasGenerator(bytesOf('keras2/generator.h5'), { file });
    const { latents, images } = jsonOf('keras2/generator.json');
    expect(generator.framework).toBe('Keras 2.2.4');
    expect(generator.network).toEqual(narrow);
    expect(largestDifference(rendered(generator, latents), images)).toBeLessThan(1e-5);
  });

  const family = ['transposed', 'upsampling'].flatMap((name) => [`${name}.h5`, `${name}.keras`]);
  it.each(family)('another DCGAN, %s', async (file) => {
    const generator = await readKerasGenerator(bytesOf(`family/${file}`), { file });
    const { latents, models } = jsonOf('family/family.json');
    const { images } = models[file.split('.')[0]!];
    expect(generator.notes).toEqual([]);
    expect(largestDifference(rendered(generator, latents), images)).toBeLessThan(1e-5);
  });

  const sigmoid = 'one with a sigmoid at the end, whose images are 0 to 1, %s';
  it.each(['sigmoid.h5', 'sigmoid.keras'])(sigmoid, async (file) => {
    const generator = await readKerasGenerator(bytesOf(`family/${file}`), { file });
    const { latents, models } = jsonOf('family/family.json');
    const { images } = models.sigmoid;
    expect(generator.range).toEqual([0, 1]);
    expect(largestDifference(rendered(generator, latents), images)).toBeLessThan(1e-5);
  });
});

async function refusal(bytes: Uint8Array, options = {}): Promise<string> {
  const error: unknown = await readKerasGenerator(bytes, { file: 'file.h5', ...options }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).not.toContain('\n');
  return (error as UserError).message;
}

/** The Keras 2 file with something in it changed. */
async function changed(change: (root: Hdf5Group) => Hdf5Group): Promise<Uint8Array> {
  return writeHdf5(change(await readHdf5(bytesOf('keras2/generator.h5'), 'generator.h5')));
}

/** The group at `path`, replaced by what `change` makes of it. */
function changedAt(
  group: Hdf5Group,
  [first, ...rest]: string[],
  change: (group: Hdf5Group) => Hdf5Group,
): Hdf5Group {
  if (first === undefined) return change(group);
  const child = changedAt(group.groups.get(first)!, rest, change);
  return { ...group, groups: new Map([...group.groups, [first, child]]) };
}

const without = <T>(map: ReadonlyMap<string, T>, key: string) =>
  new Map([...map].filter(([name]) => name !== key));

describe('a file is refused in one line that says what and where:', () => {
  it('cut short', async () => {
    const whole = bytesOf('keras2/generator.h5');
    const line = 'file.h5 is damaged or cut short: copy or download it again';
    expect(await refusal(whole.slice(0, -1000))).toBe(line);
    expect(await refusal(whole.slice(0, 600))).toBe(line);
    expect(await refusal(bytesOf('family/sigmoid.keras').slice(0, -1000))).toBe(line);
  });

  it('no Keras file at all', async () => {
    const text = new TextEncoder().encode('not a model');
    expect(await refusal(text)).toBe(
      'file.h5 is neither an HDF5 file, a .keras archive nor a model.json of tfjs',
    );
    expect(await refusal(new Uint8Array())).toBe(
      'file.h5 is neither an HDF5 file, a .keras archive nor a model.json of tfjs',
    );
  });

  it('HDF5 of another program', async () => {
    const other = await writeHdf5(
      hdf5Group({ datasets: [['x', { shape: [2], values: new Float32Array(2) }]] }),
    );
    expect(await refusal(other)).toBe(
      'file.h5 is an HDF5 file, but Keras has not written a model into it',
    );
  });

  it('weights alone, without the architecture', async () => {
    expect(await refusal(bytesOf('keras/generator.weights.h5'))).toBe(
      'file.h5 holds weights alone: save the whole model, or name with --config what ' +
        'model.to_json() writes, or with --preset what they are of',
    );
  });

  it('weights of another architecture', async () => {
    const bytes = bytesOf('keras/generator.weights.h5');
    expect(await refusal(bytes, { architecture: articleGenerator() })).toBe(
      'file.h5: the weight dense/kernel has shape [100, 512], its layer takes [100, 131072]',
    );
  });

  it('layers that are not known, each by its name and reason', async () => {
    expect(await refusal(bytesOf('family/unknown.h5'))).toBe(
      'file.h5 has layers that are not known here: ' +
        'dense (Dense): activation "log_softmax"; ' +
        'conv3d (Conv3D): this kind of layer is not known; ' +
        'global_max_pooling3d (GlobalMaxPooling3D): this kind of layer is not known',
    );
  });

  it('models that are no generator of images', async () => {
    expect(await refusal(bytesOf('family/discriminator.h5'))).toBe(
      'file.h5 takes [16, 16, 3], not a latent vector: is it a discriminator?',
    );
    expect(await refusal(bytesOf('family/two-inputs.h5'))).toBe(
      'file.h5 makes [3], not images [height, width, 1, 3 or 4 channels]',
    );
  });

  it('a weight that is missing', async () => {
    const path = ['model_weights', 'sequential_2', 'conv2d_5'];
    const bytes = await changed((root) =>
      changedAt(root, path, (group) => ({ ...group, datasets: without(group.datasets, 'bias:0') })),
    );
    expect(await refusal(bytes)).toBe('file.h5: the weight conv2d_5/bias:0 is missing');
  });

  it('a weight of another shape, or not finite', async () => {
    const path = ['model_weights', 'sequential_2', 'conv2d_5'];
    const withBias = (values: Float32Array) =>
      changed((root) =>
        changedAt(root, path, (group) => ({
          ...group,
          datasets: new Map([...group.datasets, ['bias:0', { shape: [values.length], values }]]),
        })),
      );
    expect(await refusal(await withBias(new Float32Array(7)))).toBe(
      'file.h5: the weight conv2d_5/bias has shape [7], its layer takes [8]',
    );
    expect(await refusal(await withBias(new Float32Array(8).fill(Number.NaN)))).toBe(
      'file.h5: the weight conv2d_5/bias has numbers that are not finite',
    );
  });

  it('weights in an order that their names deny', async () => {
    const path = ['model_weights', 'sequential_2'];
    const bytes = await changed((root) =>
      changedAt(root, path, (group) => ({
        ...group,
        attributes: new Map([
          ['weight_names', (group.attributes.get('weight_names') as string[]).toReversed()],
        ]),
      })),
    );
    expect(await refusal(bytes)).toBe(
      'file.h5: batch_normalization_5/moving_variance:0 stands where dense_2/kernel is expected',
    );
  });

  it('a configuration that is no JSON, or no model', async () => {
    const withConfig = (text: string) =>
      changed((root) => ({
        ...root,
        attributes: new Map([...root.attributes, ['model_config', text]]),
      }));
    expect(await refusal(await withConfig('{"class_name":'))).toBe(
      'the model_config of file.h5 is no JSON: copy or download it again',
    );
    expect(await refusal(await withConfig('{"class_name":"Dense","config":{}}'))).toBe(
      'file.h5 describes no Keras Model or Sequential',
    );
  });

  it('with a byte of its head flipped, and never by a crash', async () => {
    const whole = bytesOf('family/discriminator.h5');
    for (let at = 0; at < 2048; at += 37) {
      const bytes = whole.slice();
      bytes[at]! ^= 0xff;
      expect((await refusal(bytes)).length).toBeGreaterThan(10);
    }
  });
});
