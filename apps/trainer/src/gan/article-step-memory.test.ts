// @module-tag slow
import { articleDiscriminator, articleGenerator, createRandom } from '@killme/model';
import { dropoutMask } from '@killme/model/training';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { WasmModule } from '../engines/wasm/backend.ts';
import { startWasm } from '../engines/wasm/wasm.ts';
import { trainArticleStep } from './article-step.ts';
import type { Gan } from './gan.ts';
import { initializeNetwork } from './network-state.ts';

const STEPS = 1000;
const WARM_UP = 100;
const BATCH = 2;
const LATENT_SIZE = 5;
const IMAGE_SIZE = 16;
const SMALL = { imageSize: IMAGE_SIZE, width: 1 / 16 };
const ADAM = { learningRate: 2e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-7 };

/** Bytes that were allocated in wasm's memory and not freed; the memory itself grows in large steps. */
let liveBytes = 0;

/** The Emscripten module of tfjs's backend, which our kernels allocate from too. */
let module: WasmModule;

beforeAll(async () => {
  await startWasm({ threads: 1 }); // So small a network spends its time on waking threads.
  module = (tf.backend() as BackendWasm).wasm as unknown as WasmModule;
  module._free(module._malloc(4)); // At its first call each puts itself in place of a stub.
  const { _malloc: malloc, _free: free } = module;
  const sizes = new Map<number, number>();
  module._malloc = (bytes) => {
    const address = malloc(bytes);
    sizes.set(address, bytes);
    liveBytes += bytes;
    return address;
  };
  module._free = (address) => {
    liveBytes -= sizes.get(address) ?? 0;
    sizes.delete(address);
    free(address);
  };
});

function step(gan: Gan, iteration: number): void {
  const latents = (count: number) =>
    tf.tensor2d(createRandom(`z/${iteration}`).uniform(count * LATENT_SIZE), [count, LATENT_SIZE]);
  const half = BATCH / 2;
  const images = createRandom(`x/${iteration}`).uniform(half * IMAGE_SIZE * IMAGE_SIZE * 3);
  const tensors = {
    realImages: tf.tensor4d(images, [half, IMAGE_SIZE, IMAGE_SIZE, 3]),
    discriminatorLatents: latents(half),
    generatorLatents: latents(BATCH),
  };
  const losses = trainArticleStep(
    gan,
    {
      ...tensors,
      dropoutMasks: (part, layer, shape, rate) =>
        dropoutMask(shape, rate, `${iteration}/${part}/${layer}`),
    },
    ADAM,
  );
  expect(losses.generatorLoss.dataSync()[0]).toBeGreaterThan(0);
  tf.dispose([...Object.values(tensors), ...Object.values(losses)]);
}

/** All that must stay as it is from one step to the next. */
function held() {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  const heapBytes = module.wasmMemory.buffer.byteLength;
  const backendTensors = (tf.backend() as BackendWasm).numDataIds();
  return { numTensors, numDataBuffers, numBytes, backendTensors, liveBytes, heapBytes };
}

describe('trainArticleStep', () => {
  it('holds as many tensors and bytes after 1,000 steps as after 100', { timeout: 60_000 }, () => {
    const gan: Gan = {
      generator: initializeNetwork(
        articleGenerator({ ...SMALL, latentSize: LATENT_SIZE }),
        'generator',
      ),
      discriminator: initializeNetwork(articleDiscriminator(SMALL), 'discriminator'),
      ema: undefined,
    };
    const seen: ReturnType<typeof held>[] = [];
    for (let iteration = 0; iteration < STEPS; iteration++) {
      step(gan, iteration);
      if (iteration + 1 >= WARM_UP) seen.push(held());
    }
    expect(liveBytes).toBeGreaterThan(0);
    for (const later of seen) expect(later).toEqual(seen[0]);
  });
});
