// @module-tag slow
import {
  activation,
  articleGenerator,
  conv2d,
  createRandom,
  dense,
  type Encoding,
  type HostWeight,
  type Network,
  reshape,
  sequential,
  upSampling2d,
} from '@killme/model';
import { type Arithmetic, compileGenerator, type StepMaker } from '@killme/model/inference';
import {
  familyGenerator,
  INFERENCE_FAMILIES,
  randomWeights,
  storedWeights,
} from '@killme/model/testing';
import { applyNetwork, registerTrainingKernels } from '@killme/model/training';
import '@tensorflow/tfjs-backend-cpu';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileBinaries } from '../runtimes/disk.ts';
import { startBackend } from './backend.ts';

/** Two images, so that the second one's place counts too. */
const COUNT = 2;
const latents = createRandom('latents').uniform(COUNT * 100);

let startSteps: () => StepMaker;

beforeAll(async () => {
  registerTrainingKernels('cpu');
  startSteps = await startBackend(await compileBinaries());
});

/** By the loops of our own, on the wasm backend. */
async function render(
  network: Network,
  {
    encoding = 'float32',
    arithmetic = 'float32',
  }: { encoding?: Encoding; arithmetic?: Arithmetic } = {},
): Promise<Float32Array> {
  await tf.setBackend('wasm');
  const generator = compileGenerator(network, storedWeights(network, encoding), {
    steps: startSteps(),
    arithmetic,
  });
  const images = generator.generate(latents, COUNT);
  expect(images.shape).toEqual([COUNT, ...network.outputShape]);
  const values = images.dataSync<'float32'>().slice();
  images.dispose();
  generator.dispose();
  return values;
}

/** By the layers as written, in tfjs's JavaScript backend. */
async function applyAsWritten(network: Network): Promise<Float32Array> {
  await tf.setBackend('cpu');
  return tf.tidy(() => {
    const tensors = network.weights.map(
      ({ name, shape }) =>
        [name, tf.tensor(randomWeights(network).get(name)!, [...shape])] as const,
    );
    const input = tf.tensor2d(latents, [COUNT, 100]);
    const images = applyNetwork(network, new Map(tensors), input, { training: false });
    return images.dataSync<'float32'>().slice();
  });
}

/** Emscripten's view of the memory, which its types lack. */
const heapOf = ({ wasm }: BackendWasm) => (wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8;

function maxDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const GENERATORS: [string, Network][] = [
  ['the article’s', articleGenerator({ imageSize: 32, width: 1 / 8 })],
  ...INFERENCE_FAMILIES.map(([name, middle]): [string, Network] => [
    `one with ${name}`,
    familyGenerator(middle),
  ]),
  [
    'one with sides and channels that no loop divides evenly',
    sequential(
      'generator',
      [100],
      [
        dense(5 * 3 * 9),
        reshape(5, 3, 9),
        upSampling2d(),
        conv2d(13),
        activation('relu'),
        upSampling2d(),
        conv2d(5),
        conv2d(2, { strides: 2 }),
        activation('sigmoid'),
        conv2d(3),
        activation('tanh'),
      ],
    ),
  ],
  ...[1, 4].map((channels): [string, Network] => [
    `one of ${channels} channels, twice as high as wide,`,
    sequential(
      'generator',
      [100],
      [dense(8 * 4 * 6), reshape(8, 4, 6), upSampling2d(), conv2d(channels), activation('tanh')],
    ),
  ]),
];

describe('the loops on wasm', () => {
  it.each(GENERATORS)(
    'render what the layers as written render: %s generator, within 1e-5',
    async (_, network) => {
      const ours = await render(network);
      const written = await applyAsWritten(network);
      expect(ours.every(Number.isFinite)).toBe(true);
      expect(maxDifference(ours, written)).toBeLessThan(1e-5);
    },
  );

  it.each(['float16', 'int8'] as const)(
    'read %s kernels as tfjs reads them decoded',
    async (encoding) => {
      const network = articleGenerator({ imageSize: 32, width: 1 / 8 });
      const ours = await render(network, { encoding });
      await tf.setBackend('cpu');
      const onCpu = compileGenerator(network, storedWeights(network, encoding));
      const theirs = onCpu.generate(latents, COUNT).dataSync<'float32'>();
      expect(maxDifference(ours, theirs)).toBeLessThan(1e-5);
    },
  );

  it.each(GENERATORS)(
    'make in integers what float32 makes: %s generator, with a PSNR of 55 dB or more',
    async (_, network) => {
      const integer = await render(network, { arithmetic: 'integer' });
      const float32 = await render(network);
      const squares = integer.reduce((sum, value, i) => sum + (value - float32[i]!) ** 2, 0);
      // Numbers go from -1 to 1: the peak's square is 4.
      expect(10 * Math.log10(4 / (squares / integer.length))).toBeGreaterThan(55);
    },
  );

  it('give tanh within 3e-7 of its value, and no number where there was none', async () => {
    const values = [-100, -9, -3, -1, -0.3, -1e-4, 0, 1e-4, 0.5, 2, 8.99, 100, Number.NaN];
    const network = sequential(
      'generator',
      [1],
      [
        dense(values.length),
        reshape(1, values.length, 1),
        conv2d(3, { kernelSize: 1 }),
        activation('tanh'),
      ],
    );
    const numbers = new Map([
      ['dense/kernel', Float32Array.from(values)],
      ['dense/bias', new Float32Array(values.length)],
      ['conv2d/kernel', Float32Array.of(1, 1, 1)],
      ['conv2d/bias', new Float32Array(3)],
    ]);
    const weights = new Map(
      network.weights.map(({ name, shape }) => [
        name,
        { encoding: 'float32', shape, values: numbers.get(name)! } as const,
      ]),
    );
    await tf.setBackend('wasm');
    const rendered = compileGenerator(network, weights, { steps: startSteps() }).generate(
      Float32Array.of(1),
      1,
    );
    const firstChannel = rendered.dataSync().filter((_, i) => i % 3 === 0);
    values.forEach((value, i) => {
      const expected = Math.tanh(value);
      if (Number.isNaN(expected)) expect(firstChannel[i]).toBeNaN();
      else expect(Math.abs(firstChannel[i]! - expected)).toBeLessThan(3e-7);
    });
  });

  it.each(['float32', 'float16', 'int8'] as const)(
    'take a Dense kernel where its bytes have come in, and keep no other: %s',
    async (encoding) => {
      await tf.setBackend('wasm');
      // 2 MB of float32 in the kernel.
      const network = sequential('generator', [100], [dense(5120), reshape(8, 8, 80), conv2d(3)]);
      const stored = storedWeights(network, encoding);
      const expected = await render(network, { encoding });
      const weight = stored.get('dense/kernel')!;
      const steps = startSteps();
      const room = steps.kernelRoom!(weight.values.byteLength);
      new Uint8Array(room.buffer, room.address).set(new Uint8Array(weight.values.buffer));
      const placed = {
        ...weight,
        get values() {
          const View = weight.values.constructor as Float32ArrayConstructor;
          return new View(room.buffer, room.address, weight.values.length);
        },
      } as HostWeight;
      const heapBytes = () => heapOf(tf.backend() as BackendWasm).length;
      const before = heapBytes();
      const held = Array.from({ length: 20 }, () =>
        compileGenerator(network, new Map(stored).set('dense/kernel', placed), { steps }),
      );
      // Twenty kernels would have taken more room than there is.
      expect(heapBytes() - before).toBeLessThan(10 * weight.values.byteLength);
      const images = held.at(-1)!.generate(latents, COUNT);
      expect(images.dataSync()).toEqual(expected);
      images.dispose();
      steps.dispose();
    },
  );

  it('free what they held of the wasm memory', async () => {
    const network = articleGenerator({ imageSize: 32, width: 1 / 2 });
    const heapBytes = () => heapOf(tf.backend() as BackendWasm).length;
    for (let i = 0; i < 3; i++) await render(network);
    const before = heapBytes();
    // 3 MB each.
    for (let i = 0; i < 10; i++) await render(network);
    expect(heapBytes()).toBe(before);
  });
});
