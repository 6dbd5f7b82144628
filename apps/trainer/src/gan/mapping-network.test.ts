import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs';
import { createRandom, dense, liteGenerator, MAPPING_DEPTH, sequential } from '@killme/model';
import { applyNetwork, registerTrainingKernels } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  cellsAt,
  type LearnedMapping,
  mapLatents,
  synthesisOf,
  withFrozenMapping,
  writeMapping,
} from './mapping-network.ts';
import { initializeNetwork, type NetworkState, trainableSpecs } from './network-state.ts';

const SIZE = 12;
const CLASSES = 2;
const COUNT = 6;

const network = withFrozenMapping(liteGenerator({ latentSize: SIZE, imageSize: 8, mapping: true }));
const values = createRandom('latents').uniform(COUNT * SIZE);
const latents = () => tf.tensor2d(values, [COUNT, SIZE]);

/** A mapping of the first three components, of any numbers. */
function anyMapping(): LearnedMapping {
  const hidden = () => dense(256 - SIZE, { activation: 'relu' });
  const learned = sequential(
    'mapping',
    [3 + CLASSES],
    [...Array.from({ length: MAPPING_DEPTH }, hidden), dense(3)],
  );
  const { weights } = initializeNetwork(learned, 'mapping');
  const numbers = [...weights].map(([name, tensor]) => {
    // Fresh biases are 0, which would hide one in the wrong place.
    const bias = createRandom(name).uniform(tensor.size);
    return [name, name.endsWith('bias') ? bias : tensor.dataSync<'float32'>()] as const;
  });
  return { components: 3, classes: CLASSES, network: learned, weights: new Map(numbers) };
}

const generator = (): NetworkState => {
  const state = initializeNetwork(network, 'generator');
  writeMapping(state);
  return state;
};

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerTrainingKernels('cpu');
});

describe('the mapping network of G', () => {
  it('is the six layers before the one that makes the cells, which gradients do not move', () => {
    expect(cellsAt(network)).toBe(6);
    expect(cellsAt(liteGenerator())).toBe(0);
    expect(trainableSpecs(network)[0]).toMatchObject({ name: 'dense_6/kernel' });
    expect(trainableSpecs(network).map(({ name }) => name)).toEqual(
      synthesisOf(network)
        .layers.flatMap(({ weights }) => weights.filter(({ trainable }) => trainable))
        .map(({ name }) => name),
    );
  });

  it('is the identity as long as nothing is learned', () => {
    const mapped = mapLatents(generator(), latents()).dataSync();
    for (const [i, value] of mapped.entries()) expect(value).toBeCloseTo(values[i]!, 6);
  });

  it('adds what is learned to the components that it maps, and leaves the others', () => {
    const state = generator();
    const learned = anyMapping();
    writeMapping(state, learned);
    const unit = Math.sqrt(3);
    // The small network itself, on components of variance 1 and the class.
    const moves = tf
      .tidy(() => {
        const first = tf.mul(tf.slice2d(latents(), [0, 0], [COUNT, 3]), unit);
        const classes = tf.slice2d(latents(), [0, SIZE - CLASSES], [COUNT, CLASSES]);
        const tensors = learned.network.weights.map(
          ({ name, shape }) => [name, tf.tensor(learned.weights.get(name)!, [...shape])] as const,
        );
        const input = tf.concat([first, classes], 1);
        return applyNetwork(learned.network, new Map(tensors), input, { training: false });
      })
      .arraySync() as number[][];
    expect(Math.max(...moves.flat().map(Math.abs))).toBeGreaterThan(0.5);
    const mapped = mapLatents(state, latents()).arraySync();
    for (const [i, row] of mapped.entries()) {
      for (const [k, value] of row.entries()) {
        const move = k < 3 ? moves[i]![k]! / unit : 0;
        expect(value).toBeCloseTo(values[i * SIZE + k]! + move, 4);
      }
    }
  });

  it('and the synthesis network after it are G', () => {
    const state = generator();
    writeMapping(state, anyMapping());
    const { weights } = state;
    const mode = { training: false } as const;
    const whole = applyNetwork(network, weights, latents(), mode).dataSync();
    const mapped = mapLatents(state, latents());
    expect(applyNetwork(synthesisOf(network), weights, mapped, mode).dataSync()).toEqual(whole);
  });
});
