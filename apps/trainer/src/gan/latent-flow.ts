/**
 * Learns the mapping network of G: where latents of real images lie, as a way to get there from random ones.
 *
 * After the warm-up G renders latents of real images nearly as the images are, and random latents as blends:
 * whitening gives both the same mean and covariance, but real latents lie in lumps (five backgrounds, thirty
 * mouths), and random ones between them too. So a second, small model learns how real latents are distributed
 * (Dai & Wipf 2019, arXiv:1903.05789, "two-stage VAE"). It is a rectified flow (Liu et al. 2022,
 * arXiv:2209.03003): a network learns the velocity at which random latents move to real ones, over a time
 * from 0 to 1. Then one network learns the whole way at once from where the flow takes random latents; its
 * weights become those of the mapping network.
 *
 * @module
 */
import type { Dataset } from '@killme/data';
import {
  createRandom,
  dense,
  type LatentSpace,
  type Network,
  type Random,
  sequential,
} from '@killme/model';
import { applyNetwork } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { Gan } from './gan.ts';
import { encodeCloud, type LatentCloud } from './latent-cloud.ts';
import {
  type LearnedMapping,
  learningUnits,
  mappingLayers,
  UNIT,
  writeMapping,
} from './mapping-network.ts';
import { disposeNetwork, initializeNetwork, type NetworkState } from './network-state.ts';
import { learnRegression, meanSquaredError } from './regression.ts';

/** Latents in a step. */
const BATCH = 1_024;

/** Hidden layers of the flow. */
const FLOW_LAYERS = { units: 256, depth: 3 };

/** Steps in which the flow's equation is solved, by the midpoint method. */
const SOLVER_STEPS = 20;

/** The most random latents that are taken all the way, for the mapping network to learn from. */
const MOST_WAYS = 64 * BATCH;

/** An error in a component counts by how exactly it is read; noise below this counts as this much. */
const LEAST_NOISE = 0.02;

/**
 * Learns the mapping network of G from the latents of a dataset's images, which are whitened in order, and writes
 * it into the weights of G and of its EMA.
 * @param options.steps of the flow, and as many of the mapping network
 * @param options.key names the random numbers; equal keys learn alike.
 * @param options.signal ends it early; nothing is written then.
 * @param options.log gets a line for each network whose step an engine records.
 * @returns the number of components that it maps, 0 where none tells images apart; undefined when it was ended.
 */
export async function learnMapping(
  { generator, ema, encoder }: Pick<Gan, 'generator' | 'ema' | 'encoder'>,
  { dataset, space, ...options }: LearningOptions & { dataset: Dataset; space: LatentSpace },
): Promise<number | undefined> {
  const { steps, key, signal } = options;
  const cloud = await encodeCloud(encoder!, { dataset, space, key });
  if (cloud.noise.length === 0) return 0;
  const flow = await learnFlow(cloud, options);
  const ways = await solveFlow(flow, cloud, { key, count: Math.min(steps * BATCH, MOST_WAYS) });
  disposeNetwork(flow);
  const depth = mappingLayers(generator.network).length - 1;
  const layers = { units: learningUnits(space.size), depth };
  const learned = await learnWays(ways, cloud, { ...options, layers });
  if (signal?.aborted) return undefined;
  for (const weights of [generator.weights, ema]) {
    if (weights) writeMapping({ network: generator.network, weights }, learned);
  }
  return cloud.noise.length;
}

/** @param key names the random numbers. @param log gets a line when an engine records a step. */
interface LearningOptions {
  steps: number;
  key: string;
  signal?: AbortSignal | undefined;
  log?: ((line: string) => void) | undefined;
}

/** The flow, on the device; the caller disposes of it. */
export async function learnFlow(
  cloud: LatentCloud,
  { key, ...options }: LearningOptions,
): Promise<NetworkState> {
  const { components, conditions } = sizesOf(cloud);
  const inputs = components + conditions + TIME_FEATURES;
  const state = initializeNetwork(
    hiddenLayers('flow', { inputs, ...FLOW_LAYERS, outputs: components }),
    `${key}/flow`,
  );
  const random = createRandom(`${key}/flow steps`);
  const next = () => {
    const start = randomStarts(random, BATCH, components);
    const [times, rows] = [units(random, BATCH), chosenRows(random, cloud)];
    const input = new Float32Array(BATCH * inputs);
    const velocity = new Float32Array(BATCH * components);
    for (let i = 0; i < BATCH; i++) {
      const [end, t] = [cloud.points[rows[i]!]!, times[i]!];
      for (let k = 0; k < components; k++) {
        const from = start[i * components + k]!;
        velocity[i * components + k] = end[k]! - from;
        input[i * inputs + k] = from * (1 - t) + end[k]! * t;
      }
      writeCondition(input, i * inputs + components, cloud.labels[rows[i]!]!, conditions);
      input.set(timeFeatures(t), i * inputs + components + conditions);
    }
    return { input, target: velocity };
  };
  await learnRegression(state, next, { ...options, loss: meanSquaredError });
  return state;
}

/** Random latents, and how far the flow moves each. */
interface Ways {
  /** How many; a multiple of {@link BATCH}. */
  count: number;
  /** `[count × (components + conditions)]`: what the mapping network reads. */
  inputs: Float32Array;
  /** `[count × components]` */
  moves: Float32Array;
}

/** Takes random latents all the way, {@link BATCH} at a time. */
export async function solveFlow(
  flow: NetworkState,
  cloud: LatentCloud,
  { key, count }: { key: string; count: number },
): Promise<Ways> {
  const { components, conditions } = sizesOf(cloud);
  const width = components + conditions;
  const random = createRandom(`${key}/ways`);
  const inputs = new Float32Array(count * width);
  const moves = new Float32Array(count * components);
  for (let first = 0; first < count; first += BATCH) {
    const start = randomStarts(random, BATCH, components);
    const rows = chosenRows(random, cloud);
    for (let i = 0; i < BATCH; i++) {
      const at = (first + i) * width;
      inputs.set(start.subarray(i * components, (i + 1) * components), at);
      writeCondition(inputs, at + components, cloud.labels[rows[i]!]!, conditions);
    }
    const moved = tf.tidy(() => {
      const given = tf.tensor2d(inputs.slice(first * width, (first + BATCH) * width), [
        BATCH,
        width,
      ]);
      const begin = tf.slice2d(given, [0, 0], [BATCH, components]);
      const condition = tf.slice2d(given, [0, components], [BATCH, conditions]);
      return tf.sub(solve(flow, begin, condition), begin);
    });
    moves.set(await moved.data<'float32'>(), first * components);
    moved.dispose();
  }
  return { count, inputs, moves };
}

/** Where the flow takes latents from time 0 to 1. @param begin `[n, components]` */
function solve(flow: NetworkState, begin: tf.Tensor2D, condition: tf.Tensor2D): tf.Tensor2D {
  const [count] = begin.shape;
  const velocity = (x: tf.Tensor2D, t: number) => {
    const time = tf.tile(tf.tensor2d([timeFeatures(t)]), [count, 1]);
    const input = tf.concat2d([x, condition, time], 1);
    return applyNetwork(flow.network, flow.weights, input, { training: false });
  };
  const step = 1 / SOLVER_STEPS;
  let x = begin;
  for (let i = 0; i < SOLVER_STEPS; i++) {
    x = tf.tidy(() => {
      const middle = tf.add<tf.Tensor2D>(x, tf.mul(velocity(x, i * step), step / 2));
      return tf.add<tf.Tensor2D>(x, tf.mul(velocity(middle, (i + 0.5) * step), step));
    });
  }
  return x;
}

/**
 * The network that goes the whole way at once. Its loss is the absolute error: a median lies at one of two places
 * between which it cannot tell, the mean of a squared error lies half way, where there are no real latents.
 */
async function learnWays(
  { count, inputs, moves }: Ways,
  cloud: LatentCloud,
  { key, layers, ...options }: LearningOptions & { layers: Hidden },
): Promise<LearnedMapping> {
  const { components, conditions } = sizesOf(cloud);
  const width = components + conditions;
  const network = hiddenLayers('mapping', { inputs: width, ...layers, outputs: components });
  const state = initializeNetwork(network, `${key}/mapping`);
  const random = createRandom(`${key}/mapping steps`);
  const exactness = cloud.noise.map((noise) => 1 / Math.sqrt(Math.max(noise, LEAST_NOISE)));
  const next = () => {
    const rows = chosen(random, count);
    const input = new Float32Array(BATCH * width);
    const target = new Float32Array(BATCH * components);
    for (const [i, row] of rows.entries()) {
      input.set(inputs.subarray(row * width, (row + 1) * width), i * width);
      target.set(moves.subarray(row * components, (row + 1) * components), i * components);
    }
    return { input, target };
  };
  const loss = (given: tf.Tensor, target: tf.Tensor) =>
    tf.mean<tf.Scalar>(tf.mul(tf.abs(tf.sub(given, target)), tf.tensor1d(exactness)));
  await learnRegression(state, next, { ...options, loss });
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of state.weights) weights.set(name, await tensor.data<'float32'>());
  disposeNetwork(state);
  return { components, classes: conditions, network, weights };
}

/** Hidden layers, and the units of each. */
interface Hidden {
  units: number;
  depth: number;
}

const hiddenLayers = (
  name: string,
  { inputs, units, depth, outputs }: Hidden & { inputs: number; outputs: number },
): Network => {
  const hidden = Array.from({ length: depth }, () => dense(units, { activation: 'relu' }));
  return sequential(name, [inputs], [...hidden, dense(outputs)]);
};

const sizesOf = ({ noise, classes }: LatentCloud) => ({
  components: noise.length,
  conditions: classes,
});

/** Numbers of a time that a network tells times apart by. */
const timeFeatures = (t: number): number[] => [
  t,
  ...[1, 2].flatMap((turns) => [
    Math.sin(2 * Math.PI * turns * t),
    Math.cos(2 * Math.PI * turns * t),
  ]),
];
const TIME_FEATURES = timeFeatures(0).length;

/** Random latents in units of one standard deviation. */
const randomStarts = (random: Random, count: number, components: number): Float32Array =>
  random.uniform(count * components).map((value) => value * UNIT);

/** Uniform over 0 … 1. */
const units = (random: Random, count: number): Float32Array =>
  random.uniform(count).map((value) => (value + 1) / 2);

const chosen = (random: Random, of: number): Uint32Array =>
  Uint32Array.from(units(random, BATCH), (value) => Math.floor(value * of));

const chosenRows = (random: Random, { points }: LatentCloud) => chosen(random, points.length);

/** A class as a latent says it: 1 at its place, −1 at the others. */
function writeCondition(values: Float32Array, at: number, label: number, classes: number): void {
  for (let k = 0; k < classes; k++) values[at + k] = k === label ? 1 : -1;
}
