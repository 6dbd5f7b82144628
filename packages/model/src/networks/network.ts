import { type Layer, layerWeights, outputShape, product, type WeightSpec } from './layers.ts';

/** A layer in its place: named as Keras names it, with its shapes (batch axis left out). */
export interface PlacedLayer {
  name: string;
  layer: Layer;
  inputShape: readonly number[];
  outputShape: readonly number[];
  /** Names carry the layer: `conv2d_1/kernel`. */
  weights: readonly WeightSpec[];
}

/** A chain of layers, as Keras's `Sequential`. */
export interface Network {
  name: string;
  inputShape: readonly number[];
  outputShape: readonly number[];
  layers: readonly PlacedLayer[];
  weights: readonly WeightSpec[];
}

const KERAS_NAMES: Record<Layer['type'], string> = {
  dense: 'dense',
  reshape: 'reshape',
  flatten: 'flatten',
  conv2d: 'conv2d',
  conv2dTranspose: 'conv2d_transpose',
  upSampling2d: 'up_sampling2d',
  zeroPadding2d: 'zero_padding2d',
  batchNormalization: 'batch_normalization',
  activation: 'activation',
  leakyRelu: 'leaky_re_lu',
  dropout: 'dropout',
  minibatchDeviation: 'minibatch_deviation',
};

/**
 * Puts layers in a chain: works out every shape and gives the names a fresh Keras session would
 * (`conv2d`, `conv2d_1`, …).
 * @param inputShape without the batch axis.
 * @throws Error naming the layer that cannot take its input.
 */
export function sequential(
  name: string,
  inputShape: readonly number[],
  layers: readonly Layer[],
): Network {
  const seen = new Map<string, number>();
  const placed: PlacedLayer[] = [];
  let shape = inputShape;
  for (const layer of layers) {
    const kind = KERAS_NAMES[layer.type];
    const index = seen.get(kind) ?? 0;
    seen.set(kind, index + 1);
    const layerName = index === 0 ? kind : `${kind}_${index}`;
    const next = outputShape(layer, shape);
    const weights = layerWeights(layer, shape).map((spec) => ({
      ...spec,
      name: `${layerName}/${spec.name}`,
    }));
    placed.push({ name: layerName, layer, inputShape: shape, outputShape: next, weights });
    shape = next;
  }
  return {
    name,
    inputShape,
    outputShape: shape,
    layers: placed,
    weights: placed.flatMap((layer) => layer.weights),
  };
}

/** The numbers Keras's `model.summary()` ends with. */
export function countParameters(network: Network): { total: number; trainable: number } {
  const sizes = network.weights.map((spec) => [product(spec.shape), spec.trainable] as const);
  return {
    total: sizes.reduce((sum, [size]) => sum + size, 0),
    trainable: sizes.reduce((sum, [size, trainable]) => sum + (trainable ? size : 0), 0),
  };
}

/** The network as Keras's `model.summary()` prints it: a row a layer, then the totals. */
export function summarize(network: Network): string {
  const rows = network.layers.map(({ name, layer, outputShape: shape, weights }) => [
    `${name} (${layer.type})`,
    `[batch, ${shape.join(', ')}]`,
    weights.reduce((sum, spec) => sum + product(spec.shape), 0).toLocaleString('en'),
  ]);
  const table = [['layer (type)', 'output shape', 'parameters'], ...rows];
  const widths = [0, 1].map((i) => Math.max(...table.map((row) => row[i]!.length)) + 2);
  const lines = table.map(
    ([layer, shape, count]) =>
      `${layer!.padEnd(widths[0]!)}${shape!.padEnd(widths[1]!)}${count!.padStart(12)}`,
  );
  const { total, trainable } = countParameters(network);
  return [
    network.name,
    ...lines,
    `total ${total.toLocaleString('en')} parameters, ${trainable.toLocaleString('en')} trainable, ` +
      `${(total - trainable).toLocaleString('en')} not`,
  ].join('\n');
}
