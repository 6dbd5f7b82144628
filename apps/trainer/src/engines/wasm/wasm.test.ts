import {
  articleDiscriminator,
  articleGenerator,
  createRandom,
  type Network,
  product,
} from '@killme/model';
import {
  adamStep,
  applyNetwork,
  applyToLogits,
  binaryCrossEntropy,
  dropoutMask,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWasm } from './wasm.ts';

const SIZE = { imageSize: 16, width: 1 / 16 };
const generator = articleGenerator({ ...SIZE, latentSize: 5 });
const discriminator = articleDiscriminator(SIZE);

type Weights = Map<string, tf.Tensor>;

beforeAll(async () => {
  const engine = await startWasm();
  expect(engine).toMatchObject({ name: 'wasm', gpu: false });
});

function randomTensor(key: string, shape: readonly number[], scale = 1): tf.Tensor {
  const values = createRandom(key).uniform(product(shape));
  return tf.tensor(
    values.map((value) => value * scale),
    [...shape],
  );
}

function createWeights(network: Network): Weights {
  return new Map(
    network.weights.map(({ name, shape }) => [
      name,
      randomTensor(`${network.name}/${name}`, shape, 0.5),
    ]),
  );
}

const training = {
  training: true,
  dropoutMask: (layer: string, shape: readonly number[], rate: number) =>
    dropoutMask(shape, rate, layer),
} as const;

function discriminatorLoss(weights: Weights): tf.Scalar {
  const images = randomTensor('images', [3, 16, 16, 3]);
  return binaryCrossEntropy(applyToLogits(discriminator, weights, images, training), 1);
}

function generatorLoss(weights: Weights, frozen: Weights): tf.Scalar {
  const images = applyNetwork(generator, weights, randomTensor('latents', [3, 5]), training);
  return binaryCrossEntropy(applyToLogits(discriminator, frozen, images, training), 1);
}

/** Gradients to the trainable weights, by name. */
function gradients(network: Network, weights: Weights, loss: (weights: Weights) => tf.Scalar) {
  const names = network.weights.filter((spec) => spec.trainable).map((spec) => spec.name);
  const inputs = names.map((name) => weights.get(name)!);
  const replaced = (tensors: tf.Tensor[]) =>
    new Map([...weights, ...names.map((name, i) => [name, tensors[i]!] as const)]);
  const { value, grads } = tf.valueAndGrads((...tensors) => loss(replaced(tensors)))(inputs);
  return { value, grads: new Map(names.map((name, i) => [name, grads[i]!])) };
}

/** The slope of the loss along a direction, against the gradients. */
function checkSlope(network: Network, weights: Weights, loss: (weights: Weights) => tf.Scalar) {
  const { grads } = gradients(network, weights, loss);
  for (const [name, gradient] of grads) {
    // Along the gradient itself the slope is its length. Too short a one drowns in rounding.
    const length = tf.norm(gradient).dataSync()[0]!;
    if (length < 1e-3) continue;
    const step = 2e-3;
    const moved = (sign: number) => {
      const weight = weights.get(name)!;
      const by = tf.mul(gradient, (sign * step) / length);
      return loss(new Map([...weights, [name, tf.add(weight, by)]])).dataSync()[0]!;
    };
    const slope = (moved(1) - moved(-1)) / (2 * step);
    expect(Math.abs(slope - length) / length, name).toBeLessThan(0.05);
  }
}

describe('startWasm', () => {
  it('has the gradients of the losses (finite differences)', () => {
    const [g, d] = [createWeights(generator), createWeights(discriminator)];
    tf.tidy(() => checkSlope(discriminator, d, discriminatorLoss));
    tf.tidy(() => checkSlope(generator, g, (weights) => generatorLoss(weights, d)));
  });

  it('gives equal bits for equal inputs, and leaks nothing', () => {
    const [g, d] = [createWeights(generator), createWeights(discriminator)];
    const before = tf.memory().numTensors;
    const step = () =>
      tf.tidy(() => {
        const { value, grads } = gradients(generator, g, (weights) => generatorLoss(weights, d));
        const updated = [...grads].map(([name, gradient]) => {
          const zeros = tf.zerosLike(gradient);
          const tensors = { parameter: g.get(name)!, firstMoment: zeros, secondMoment: zeros };
          const options = { rate: 2e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-7 };
          return adamStep(tensors, gradient, options).parameter;
        });
        return [value, ...updated].map((tensor) => tensor.dataSync());
      });
    const first = step();
    for (let i = 0; i < 5; i++) expect(step()).toEqual(first);
    expect(tf.memory().numTensors).toBe(before);
  });
});
