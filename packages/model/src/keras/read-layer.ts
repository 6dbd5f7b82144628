/**
 * Keras layers as ours.
 *
 * Where a Keras layer is another way to say ours, it becomes ours: an activation inside a
 * convolution is a layer after it, a bias that is not there is zero.
 *
 * @module
 */
import type { Output } from '../networks/network-builder.ts';
import { UnknownKind } from './activations.ts';
import type { KerasLayer } from './keras-graph.ts';
import { CONVOLUTION_READERS } from './layers/convolution.ts';
import { DENSE_READERS } from './layers/dense.ts';
import { NORMALIZATION_READERS } from './layers/normalization.ts';
import { PLACEMENT_READERS } from './layers/placement.ts';
import { POINTWISE_READERS } from './layers/pointwise.ts';
import type { Readers, Reading, Variable } from './layers/reading.ts';

const READERS: Readers = {
  ...DENSE_READERS,
  ...CONVOLUTION_READERS,
  ...NORMALIZATION_READERS,
  ...PLACEMENT_READERS,
  ...POINTWISE_READERS,
};

/** The variables that a layer has, in Keras's order; none of a layer that is not known. */
export function variablesOf({ className, config }: KerasLayer): Variable[] {
  const trainable = config.trainable !== false;
  try {
    const variables = READERS[kindOf(className)]?.variables?.(config) ?? [];
    return trainable ? variables : variables.map(({ name }) => ({ name, trainable }));
  } catch {
    return []; // refused when it is read
  }
}

/** @throws Refusal saying what about the layer is not accepted. */
export function readLayer({ className, config }: KerasLayer, reading: Reading): Output {
  const reader = READERS[kindOf(className)];
  if (!reader) throw new UnknownKind('this kind of layer is not known');
  return reader.read(config, reading);
}

/** `Addons>GroupNormalization` and `Custom>…` are named after where they come from. */
const kindOf = (className: string) => className.replace(/^.*>/, '');
