import { type Layer, layerWeights, outputShape, product } from './layers.ts';
import type { WeightSpec } from './weight-spec.ts';

/** In place of a layer, the input of the network. */
export const NETWORK_INPUT = -1;

/** A layer in its place: named as Keras names it, with its shapes (without the batch axis). */
export interface PlacedLayer {
  name: string;
  layer: Layer;
  /** Places in `layers` of what feeds it, {@link NETWORK_INPUT} for the network's input. */
  inputs: readonly number[];
  /** Of the first input. */
  inputShape: readonly number[];
  outputShape: readonly number[];
  /** Names carry the layer: `conv2d_1/kernel`. */
  weights: readonly WeightSpec[];
}

/** Layers in an order in which each comes behind those that feed it; the last one gives the output. */
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
  paddedConv2d: 'padded_conv2d',
  croppedConv2dTranspose: 'cropped_conv2d_transpose',
  depthwiseConv2d: 'depthwise_conv2d',
  cropping2d: 'cropping2d',
  resize: 'resizing',
  permute: 'permute',
  slice: 'slice',
  rescaling: 'rescaling',
  elementwise: 'elementwise',
  pRelu: 'p_re_lu',
  groupNormalization: 'group_normalization',
  layerNormalization: 'layer_normalization',
  add: 'add',
  subtract: 'subtract',
  multiply: 'multiply',
  average: 'average',
  maximum: 'maximum',
  minimum: 'minimum',
  concatenate: 'concatenate',
};

/** A layer and the places of what feeds it. */
export interface LayerNode {
  layer: Layer;
  inputs: readonly number[];
}

/**
 * Puts layers in a chain, as Keras's `Sequential`.
 * @param inputShape without the batch axis.
 * @throws Error naming the layer that cannot take its input.
 */
export const sequential = (
  name: string,
  inputShape: readonly number[],
  layers: readonly Layer[],
): Network =>
  functional(
    name,
    inputShape,
    layers.map((layer, i) => ({ layer, inputs: [i - 1] })),
  );

/**
 * Connects layers, as Keras's functional models: works out every shape and gives the names a fresh
 * Keras session would (`conv2d`, `conv2d_1`, …).
 * @param inputShape without the batch axis
 * @throws Error naming the layer that cannot take its inputs.
 */
export function functional(
  name: string,
  inputShape: readonly number[],
  nodes: readonly LayerNode[],
): Network {
  const seen = new Map<string, number>();
  const placed: PlacedLayer[] = [];
  for (const { layer, inputs } of nodes) {
    const shapes = inputs.map((at) => {
      const fed = at === NETWORK_INPUT ? inputShape : placed[at]?.outputShape;
      if (!fed) throw new Error(`layer ${placed.length} is fed by ${at}, which is not before it`);
      return fed;
    });
    const [shape = inputShape, ...others] = shapes;
    const kind = KERAS_NAMES[layer.type];
    const index = seen.get(kind) ?? 0;
    seen.set(kind, index + 1);
    const layerName = index === 0 ? kind : `${kind}_${index}`;
    const next = outputShape(layer, shape, ...others);
    const weights = layerWeights(layer, shape).map((spec) => ({
      ...spec,
      name: `${layerName}/${spec.name}`,
    }));
    placed.push({ name: layerName, layer, inputs, inputShape: shape, outputShape: next, weights });
  }
  return {
    name,
    inputShape,
    outputShape: placed.at(-1)?.outputShape ?? inputShape,
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
