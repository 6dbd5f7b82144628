/**
 * The mapping network of G: the dense layers before the one that makes its first cells. It takes a latent, whose
 * components are independent, to where the latents of real images lie (StyleGAN's mapping network, Karras et
 * al. 2018, arXiv:1812.04948). The layers after it, the synthesis network, learn without it from latents of real
 * images; gradients never move it. How it is learned: latent-flow.ts.
 *
 * A dense layer with a ReLU cannot leave a number as it is, unless that is never below 0. So each hidden layer
 * carries every component of the latent in a unit of its own, 1 higher, and the other units learn what is to
 * be added. As long as nothing is learned the whole is the identity.
 *
 * @module
 */
import { MAPPING_UNITS, type Network, type PlacedLayer, product } from '@killme/model';
import { applyLayers } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import type { PlacedNetwork } from './network-state.ts';

/** Standard deviations of uniform(-1, 1) in its range. */
export const UNIT = Math.sqrt(3);

/** What a mapping network adds to the first components of a latent: weights `dense/kernel` … on the host. */
export interface LearnedMapping {
  /**
   * How many components it reads and moves. Its first layer takes these, of variance 1, then the components that
   * say a class; its last gives what is to be added, in the same unit.
   */
  components: number;
  /** Components that say a class, the last ones of a latent. */
  classes: number;
  network: Network;
  weights: ReadonlyMap<string, Float32Array>;
}

/** Units of a hidden layer of a mapping network that learn, of latents of a size. */
export const learningUnits = (latentSize: number): number => MAPPING_UNITS - latentSize;

/** Where the dense layer is that makes the cells: the one that is reshaped. */
export function cellsAt({ layers }: Pick<Network, 'layers'>): number {
  const reshape = layers.findIndex(({ layer }) => layer.type === 'reshape');
  return Math.max(0, reshape - 1);
}

/** The layers of the mapping network; none where G has no such network. */
export const mappingLayers = (network: Network): readonly PlacedLayer[] =>
  network.layers.slice(0, cellsAt(network));

export const hasMapping = (network: Network): boolean => cellsAt(network) > 0;

/** Whether a mapping network is any but the identity. */
export async function isMappingLearned({ network, weights }: PlacedNetwork): Promise<boolean> {
  const last = mappingLayers(network).at(-1);
  const kernel = last && weights.get(`${last.name}/kernel`);
  if (!kernel) return false;
  const [size] = network.inputShape as [number];
  const values = await kernel.data<'float32'>();
  return values.subarray(0, learningUnits(size) * size).some((value) => value !== 0);
}

/** G without its mapping network, under the same names of layers. */
export function synthesisOf(network: Network): Network {
  const mapping = cellsAt(network);
  if (mapping === 0) return network;
  const layers = network.layers.slice(mapping);
  return { ...network, inputShape: layers[0]!.inputShape, layers };
}

/** G with a mapping network that gradients do not move. */
export function withFrozenMapping(network: Network): Network {
  const frozen = new Set(
    mappingLayers(network).flatMap(({ weights }) => weights.map(({ name }) => name)),
  );
  const weights = network.weights.map((spec) =>
    frozen.has(spec.name) ? { ...spec, trainable: false } : spec,
  );
  return { ...network, weights };
}

/**
 * Latents as the synthesis network takes them.
 * @param latents `[n, size]`
 * @returns `[n, size]`; the caller disposes of it.
 */
export function mapLatents({ network, weights }: PlacedNetwork, latents: tf.Tensor2D): tf.Tensor2D {
  if (!hasMapping(network)) return tf.clone(latents);
  const layers = mappingLayers(network);
  return tf.tidy(() => applyLayers(layers, weights, latents, { training: false })) as tf.Tensor2D;
}

/**
 * Writes a mapping network into the weights of G, in place; the identity where nothing is learned.
 */
export function writeMapping(
  { network, weights }: { network: Network; weights: Map<string, tf.Tensor> },
  learned?: LearnedMapping,
): void {
  const layers = mappingLayers(network);
  const [size] = network.inputShape as [number];
  for (const [i, { weights: specs }] of layers.entries()) {
    const role = i === 0 ? 'first' : i === layers.length - 1 ? 'last' : 'hidden';
    for (const { name, shape } of specs) {
      const values = new Float32Array(product(shape));
      carry(values, shape, { role, size });
      if (learned) addLearned(values, shape, { role, size, learned, layer: i });
      weights.get(name)?.dispose();
      weights.set(name, tf.tensor(values, [...shape]));
    }
  }
}

type Role = 'first' | 'hidden' | 'last';

/** The numbers that carry the components of a latent through a layer. */
function carry(
  values: Float32Array,
  [rows, columns]: readonly number[],
  { role, size }: { role: Role; size: number },
): void {
  const start = learningUnits(size);
  if (columns === undefined) {
    if (role === 'first') values.fill(1, start);
    if (role === 'last') values.fill(-1);
    return;
  }
  for (let component = 0; component < size; component++) {
    const row = role === 'first' ? component : start + component;
    const column = role === 'last' ? component : start + component;
    if (row < rows!) values[row * columns + column] = 1;
  }
}

/** Adds the learned numbers of a kernel or bias where they belong. */
function addLearned(
  values: Float32Array,
  [, columns]: readonly number[],
  {
    role,
    size,
    learned: { components, classes, network, weights },
    layer,
  }: { role: Role; size: number; learned: LearnedMapping; layer: number },
): void {
  const { name, weights: specs } = network.layers[layer]!;
  const unit = role === 'last' ? 1 / UNIT : 1;
  if (columns === undefined) {
    const bias = weights.get(`${name}/bias`)!;
    for (const [i, value] of bias.entries()) values[i]! += value * unit;
    return;
  }
  const kernel = weights.get(`${name}/kernel`)!;
  const [inputs, outputs] = specs[0]!.shape as [number, number];
  for (let input = 0; input < inputs; input++) {
    const isClass = role === 'first' && input >= components;
    const row = isClass ? size - classes + input - components : input;
    const scale = role === 'first' && !isClass ? UNIT : unit;
    for (let output = 0; output < outputs; output++) {
      values[row * columns + output]! += kernel[input * outputs + output]! * scale;
    }
  }
}
