import {
  createRandom,
  encodeWeight,
  type HostWeights,
  type Network,
  product,
  type WeightSpec,
} from '@killme/model';
import {
  adamSteps,
  type BatchStatistics,
  moveAverages,
  type NetworkWeights,
} from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { feed } from '../engines/feed.ts';

/** A network and its weights on the device. */
export interface PlacedNetwork {
  network: Network;
  weights: NetworkWeights;
}

/** Adam's numbers, as Keras names them. */
export interface AdamOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Whether steps are shortened where gradients are suddenly large: `longest` of {@link adamSteps}. */
  clipsUpdates?: boolean;
  /** What the learning rate is multiplied by after so many steps, 1 when omitted; a recorded step asks it anew. */
  decay?: (steps: number) => number;
}

/**
 * A network being trained: its weights and its own Adam state, by weight name. The state owns its
 * tensors; an update replaces them and disposes of the old ones.
 */
export interface NetworkState {
  network: Network;
  weights: Map<string, tf.Tensor>;
  /** First and second moments of the trainable weights. */
  moments: Map<string, { first: tf.Tensor; second: tf.Tensor }>;
  /** Adam steps taken so far. */
  steps: number;
}

/**
 * A network that begins with given weights, and with Adam at zero.
 * @param valuesOf the numbers of each weight
 */
export function createNetworkState(
  network: Network,
  valuesOf: (spec: WeightSpec) => Float32Array,
): NetworkState {
  const weights = network.weights.map(
    (spec) => [spec.name, tf.tensor(valuesOf(spec), [...spec.shape])] as const,
  );
  return {
    network,
    weights: new Map(weights),
    moments: new Map(
      trainableSpecs(network).map(({ name, shape }) => [
        name,
        { first: tf.zeros([...shape]), second: tf.zeros([...shape]) },
      ]),
    ),
    steps: 0,
  };
}

/**
 * A fresh network, as Keras starts one: glorot-uniform kernels, zero biases.
 * @param key names the random numbers; equal keys give equal weights.
 */
export function initializeNetwork(network: Network, key: string): NetworkState {
  return createNetworkState(network, (spec) => initialValues(spec, key));
}

/** The weights that gradients move, in Keras's order. */
export function trainableSpecs(network: Network): WeightSpec[] {
  return network.weights.filter((spec) => spec.trainable);
}

/** Those weights on the device, in the same order. */
export function trainableTensors({ network, weights }: PlacedNetwork): tf.Tensor[] {
  return trainableSpecs(network).map(({ name }) => weights.get(name)!);
}

/** Of uniform numbers with a standard deviation of 1. */
const UNIT_RANGE = Math.sqrt(3);

function initialValues({ name, shape, initializer }: WeightSpec, key: string): Float32Array {
  const size = product(shape);
  const uniform = (limit: number) =>
    createRandom(`${key}/${name}`)
      .uniform(size)
      .map((value) => value * limit);
  switch (initializer) {
    case 'zeros':
      return new Float32Array(size);
    case 'ones':
      return new Float32Array(size).fill(1);
    case 'identity': {
      const [side] = shape as [number, number];
      return Float32Array.from({ length: size }, (_, i) => (i % (side + 1) === 0 ? 1 : 0));
    }
    case 'unitUniform':
      return uniform(UNIT_RANGE);
    case 'glorotUniform':
      return uniform(glorotLimit(shape));
  }
}

/** Glorot & Bengio 2010, as Keras's `GlorotUniform`: uniform within ±√(6 / (fan in + fan out)). */
function glorotLimit(shape: readonly number[]): number {
  const receptiveField = product(shape.slice(0, -2));
  const fanIn = receptiveField * shape.at(-2)!;
  const fanOut = receptiveField * shape.at(-1)!;
  return Math.sqrt(6 / (fanIn + fanOut));
}

/**
 * One Adam step on every trainable weight.
 * @param gradients one for each of {@link trainableSpecs}, in that order; disposed of here.
 */
export function applyAdam(
  state: NetworkState,
  gradients: readonly tf.Tensor[],
  { learningRate, beta1, beta2, epsilon, clipsUpdates, decay = () => 1 }: AdamOptions,
): void {
  const rate = feed([], () => {
    const decayed = learningRate * decay(state.steps);
    state.steps++;
    const correction = Math.sqrt(1 - beta2 ** state.steps) / (1 - beta1 ** state.steps);
    return Float32Array.of(decayed * correction);
  }) as tf.Scalar;
  const names = trainableSpecs(state.network).map(({ name }) => name);
  const old = names.map((name) => {
    const { first, second } = state.moments.get(name)!;
    return { parameter: state.weights.get(name)!, firstMoment: first, secondMoment: second };
  });
  const longest = clipsUpdates ? learningRate : 0;
  const options = { rate, beta1, beta2, epsilon, longest };
  for (const [i, next] of adamSteps(old, gradients, options).entries()) {
    state.weights.set(names[i]!, next.parameter);
    state.moments.set(names[i]!, { first: next.firstMoment, second: next.secondMoment });
  }
  tf.dispose([rate, ...gradients, ...old.flatMap((tensors) => Object.values(tensors))]);
}

/**
 * Moves the moving statistics towards what a batch showed:
 * moving ← moving + (1 − momentum) · (batch − moving). Disposes of `statistics`.
 */
export function updateMovingStatistics(
  state: Pick<NetworkState, 'network' | 'weights'>,
  statistics: BatchStatistics,
): void {
  const seen = state.network.layers.flatMap(({ name, layer }) => {
    const batch = statistics.get(name);
    if (layer.type !== 'batchNormalization' || !batch) return [];
    const { momentum } = layer;
    return [
      { weight: `${name}/moving_mean`, value: batch.mean, momentum },
      { weight: `${name}/moving_variance`, value: batch.variance, momentum },
    ];
  });
  for (const [momentum, alike] of Map.groupBy(seen, ({ momentum }) => momentum)) {
    const old = alike.map(({ weight }) => state.weights.get(weight)!);
    const values = alike.map(({ value }) => value);
    // With momentum 0 exactly the batch's, whatever they were before.
    const next =
      momentum === 0
        ? values.map((value) => tf.clone(value))
        : moveAverages(old, values, 1 - momentum);
    for (const [i, { weight }] of alike.entries()) state.weights.set(weight, next[i]!);
    tf.dispose(old);
  }
  disposeStatistics(statistics);
}

/** Frees statistics that nothing is to be done with. */
export function disposeStatistics(statistics: BatchStatistics): void {
  for (const { mean, variance } of statistics.values()) tf.dispose([mean, variance]);
  statistics.clear();
}

/** Frees the tensors of a network. */
export function disposeNetwork({ weights, moments }: NetworkState): void {
  tf.dispose([...weights.values()]);
  for (const { first, second } of moments.values()) tf.dispose([first, second]);
}

/** Weights on the host as a float32 generator file has them, which inference takes. */
export function toHostWeights(
  network: Network,
  values: ReadonlyMap<string, Float32Array>,
): HostWeights {
  return new Map(
    network.weights.map(({ name, shape }) => [
      name,
      encodeWeight(values.get(name)!, shape, 'float32'),
    ]),
  );
}
