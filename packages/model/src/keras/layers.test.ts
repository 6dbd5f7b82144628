import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeWeight, type ImportedGenerator } from '../index.ts';
import { compileGenerator } from '../inference/index.ts';
import { type KerasOptions, readKerasGenerator } from './index.ts';

/** Models of real Keras and what it predicts: make_layers.py. */
const LAYERS = resolve(import.meta.dirname, '../../../../test/reference/layers');
const bytesOf = (file: string) => new Uint8Array(readFileSync(join(LAYERS, file)));
const jsonOf = (file: string) => JSON.parse(readFileSync(join(LAYERS, file), 'utf8'));
const reference = jsonOf('layers.json');

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const read = (file: string, options: Partial<KerasOptions> = {}) =>
  readKerasGenerator(bytesOf(file), { file, ...options });

/** Renders the latents of the reference, with their classes where the generator has such. */
function rendered({ network, weights, classes }: ImportedGenerator): Float32Array {
  const stored = network.weights.map(
    ({ name, shape }) => [name, encodeWeight(weights.get(name)!, shape, 'float32')] as const,
  );
  const latents = reference.latents.flatMap((latent: number[], i: number) =>
    classes > 0 ? [...latent, ...reference.classes[i]] : latent,
  );
  const { generate } = compileGenerator(network, new Map(stored));
  return generate(Float32Array.from(latents), reference.latents.length).dataSync<'float32'>();
}

/** The largest difference from what Keras predicted. */
function difference(generator: ImportedGenerator, model: string): number {
  const { images, shape } = reference.models[model];
  expect(generator.network.outputShape).toEqual(shape);
  const ours = rendered(generator);
  return images.reduce(
    (most: number, value: number, i: number) => Math.max(most, Math.abs(value - ours[i]!)),
    0,
  );
}

describe('layers render here what they render in Keras:', () => {
  it.each([
    ['several Dense layers, grey', 'mlp.h5'],
    ['two Dense layers and transposed convolutions, RGBA', 'decoder.keras'],
    ['a normalization behind an activation before Reshape', 'normalization_before_reshape.keras'],
    ['strides 3 and 4, kernels smaller than strides', 'strides.keras'],
    ['valid padding, dilation, groups, ELU', 'valid.keras'],
    ['output_padding, ZeroPadding2D, Cropping2D', 'output_padding.keras'],
    ['every activation, from h5', 'activations.h5'],
    ['every activation', 'activations.keras'],
    ['bilinear upsampling, Resizing, Rescaling', 'resizing.keras'],
    ['LayerNormalization, GroupNormalization, from h5', 'normalizations.h5'],
    ['LayerNormalization, GroupNormalization', 'normalizations.keras'],
    ['SeparableConv2D, DepthwiseConv2D, from h5', 'separable.h5'],
    ['SeparableConv2D, DepthwiseConv2D', 'separable.keras'],
    ['an input of [1, 1, 12]', 'one_pixel.keras'],
    ['skips by Add, Multiply, Concatenate and others, from h5', 'skips.h5'],
    ['skips by Add, Multiply, Concatenate and others', 'skips.keras'],
    ['a frozen layer in a container, from h5', 'frozen.h5'],
    ['a frozen layer in a container', 'frozen.keras'],
    ['float16 weights', 'float16.keras'],
    ['float16 weights, from h5', 'float16.h5'],
    ['bfloat16 weights', 'bfloat16.keras'],
    ['bfloat16 weights, from h5', 'bfloat16.h5'],
    ['an Embedding beside the latent, from h5', 'conditional_embedding.h5'],
    ['an Embedding beside the latent', 'conditional_embedding.keras'],
    ['an Embedding times the latent', 'conditional_product.h5'],
    ['a one-hot class beside the latent', 'conditional_one_hot.keras'],
  ])('%s', async (_, file) => {
    const generator = await read(file);
    // Outputs of up to 255, where float32 has 2e-5.
    const scale = file.startsWith('resizing') ? 127.5 : 1;
    expect(difference(generator, file.split('.')[0]!) / scale).toBeLessThan(1e-4);
  });

  it('the larger one of two outputs, or the one that is named', async () => {
    const generator = await read('outputs.keras');
    expect(generator.notes).toEqual([
      'outputs.keras has the outputs small [4, 4, 3], large [8, 8, 3]: large is taken (--output)',
    ]);
    expect(difference(generator, 'outputs')).toBeLessThan(1e-4);
    const small = await read('outputs.keras', { output: 'small' });
    expect(small.network.outputShape).toEqual([4, 4, 3]);
    await expect(read('outputs.keras', { output: 'medium' })).rejects.toThrow(
      '--output: outputs.keras has no output "medium", only small [4, 4, 3], large [8, 8, 3]',
    );
  });
});

describe('files of other kinds render the same:', () => {
  it('weights apart from the architecture', async () => {
    const generator = await read('mlp.weights.h5', { config: jsonOf('mlp.json') });
    expect(difference(generator, 'mlp')).toBeLessThan(1e-4);
  });

  it('weights where Keras 2.13 kept them', async () => {
    expect(difference(await read('decoder-2.13.keras'), 'decoder')).toBeLessThan(1e-4);
  });

  it.each(['whole_gan.h5', 'whole_gan.keras'])('the generator of a whole GAN, %s', async (file) => {
    await expect(read(file)).rejects.toThrow(
      `${file} holds a whole GAN (the_generator, then the_discriminator) and gives [1]: ` +
        'take its generator with --part generator',
    );
    expect(difference(await read(file, { part: 'generator' }), 'whole_gan')).toBeLessThan(1e-4);
  });
});

describe('the range of images is what the last layer can give:', () => {
  it.each([
    ['tanh', 'mlp.h5', [-1, 1]],
    ['sigmoid', 'decoder.keras', [0, 1]],
    ['Rescaling of tanh', 'resizing.keras', [0, 255]],
    ['a convolution without activation has no bounds', 'activations.keras', undefined],
  ])('%s', async (_, file, range) => {
    expect((await read(file)).range).toEqual(range);
  });
});
