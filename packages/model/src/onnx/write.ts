import type { Activation, Layer } from '../networks/layers.ts';
import type { Network, PlacedLayer } from '../networks/network.ts';
import { exchangeChannels } from '../networks/transposed.ts';
import {
  ATTRIBUTE_TYPES,
  type Attribute,
  DATA_TYPES,
  encodeModel,
  type Node,
  type Tensor,
} from './messages.ts';

/** Opset 17 (2022) is read by every onnxruntime since 1.12; IR version 8 goes with it. */
const VERSIONS = { ir: 8, opset: 17 };

const TO_CHANNELS_FIRST = [0, 3, 1, 2];
const TO_CHANNELS_LAST = [0, 2, 3, 1];

const ACTIVATION_OPERATORS: Record<Activation, string> = {
  relu: 'Relu',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
};

/**
 * The network as an ONNX model in float32: input `x` and output `y` have the shapes of the network
 * behind an open batch axis (images `[n, height, width, channels]`); between them images are
 * channels first, as ONNX's operators want them.
 *
 * @param weights float32 numbers of every weight of `network`, by name
 */
export function writeOnnx(
  network: Network,
  weights: ReadonlyMap<string, Float32Array>,
): Uint8Array {
  const graph = new GraphWriter(weights);
  if (network.inputShape.length === 3) graph.transpose(TO_CHANNELS_FIRST);
  for (const placed of network.layers) addLayer(graph, placed);
  if (network.outputShape.length === 3) graph.transpose(TO_CHANNELS_LAST);
  return encodeModel({ name: network.name, ...graph.finish(network) }, VERSIONS);
}

function addLayer(graph: GraphWriter, placed: PlacedLayer): void {
  const { layer, name, outputShape, inputShape } = placed;
  switch (layer.type) {
    case 'dense':
      graph.add('Gemm', [graph.weight(placed, 'kernel'), graph.weight(placed, 'bias')]);
      if (layer.activation) graph.add(ACTIVATION_OPERATORS[layer.activation]);
      return;
    case 'reshape':
    case 'flatten':
      if (inputShape.length === 3) graph.transpose(TO_CHANNELS_LAST);
      graph.add('Reshape', [graph.integers(`${name}/shape`, [-1, ...outputShape])]);
      if (outputShape.length === 3) graph.transpose(TO_CHANNELS_FIRST);
      return;
    case 'conv2d':
    case 'conv2dTranspose':
      addConvolution(graph, placed, layer);
      return;
    case 'upSampling2d':
      addUpsampling(graph, name);
      return;
    case 'zeroPadding2d': {
      const [[top, bottom], [left, right]] = layer.padding;
      graph.add('Pad', [graph.integers(`${name}/pads`, [0, 0, top, left, 0, 0, bottom, right])]);
      return;
    }
    case 'batchNormalization': {
      const inputs = placed.weights.map(({ name: weight }) =>
        graph.weight(placed, weight.slice(name.length + 1)),
      );
      graph.add('BatchNormalization', inputs, [float('epsilon', layer.epsilon)]);
      return;
    }
    case 'activation':
      graph.add(ACTIVATION_OPERATORS[layer.activation]);
      return;
    case 'leakyRelu':
      graph.add('LeakyRelu', [], [float('alpha', layer.alpha)]);
      return;
    case 'dropout':
      return; // does nothing outside training
    default:
      throw new Error(`${layer.type} is not written for ONNX`);
  }
}

function addConvolution(
  graph: GraphWriter,
  placed: PlacedLayer,
  { type, kernelSize, strides }: Extract<Layer, { type: 'conv2d' | 'conv2dTranspose' }>,
): void {
  const [height, width] = placed.inputShape as [number, number, number];
  const padding = (length: number) =>
    type === 'conv2d'
      ? samePadding(length, kernelSize, strides)
      : split(Math.max(kernelSize - strides, 0));
  const [rows, columns] = [padding(height), padding(width)];
  const inputs = [graph.weight(placed, 'kernel', kernelFirst), graph.weight(placed, 'bias')];
  graph.add(type === 'conv2d' ? 'Conv' : 'ConvTranspose', inputs, [
    ints('pads', [rows[0], columns[0], rows[1], columns[1]]),
    ints('strides', [strides, strides]),
  ]);
}

/** Nearest-neighbour 2×. */
function addUpsampling(graph: GraphWriter, name: string): void {
  graph.add(
    'Resize',
    ['', graph.floats(`${name}/scales`, [1, 1, 2, 2])],
    [
      text('mode', 'nearest'),
      text('coordinate_transformation_mode', 'asymmetric'),
      text('nearest_mode', 'floor'),
    ],
  );
}

/** Collects nodes, each fed by the one before it. */
class GraphWriter {
  private readonly nodes: Node[] = [];
  private readonly initializers: Tensor[] = [];
  private readonly weights: ReadonlyMap<string, Float32Array>;
  private last = 'x';

  constructor(weights: ReadonlyMap<string, Float32Array>) {
    this.weights = weights;
  }

  /** @param inputs names of the operator's other inputs, behind the output of the node before. */
  add(operator: string, inputs: readonly string[] = [], attribute: Attribute[] = []): void {
    const name = `${operator}_${this.nodes.length}`;
    this.nodes.push({
      input: [this.last, ...inputs],
      output: [name],
      name,
      op_type: operator,
      attribute,
    });
    this.last = name;
  }

  transpose(axes: readonly number[]): void {
    this.add('Transpose', [], [ints('perm', axes)]);
  }

  /** A weight of a layer as an initializer, on its axes as they stand or as `arrange` puts them. */
  weight({ name, weights }: PlacedLayer, local: string, arrange: Arrange = asItStands): string {
    const full = `${name}/${local}`;
    const values = this.weights.get(full);
    const shape = weights.find((spec) => spec.name === full)?.shape;
    if (!values || !shape) throw new Error(`the weight ${full} is missing`);
    const arranged = arrange(values, shape);
    return this.initializer(full, arranged.shape, 'float32', arranged.values);
  }

  floats(name: string, values: readonly number[]): string {
    return this.initializer(name, [values.length], 'float32', Float32Array.from(values));
  }

  integers(name: string, values: readonly number[]): string {
    return this.initializer(name, [values.length], 'int64', BigInt64Array.from(values, BigInt));
  }

  finish(network: Network) {
    const { nodes, initializers } = this;
    nodes.at(-1)!.output = ['y'];
    return {
      nodes,
      initializers,
      input: { name: 'x', shape: ['n', ...network.inputShape] },
      output: { name: 'y', shape: ['n', ...network.outputShape] },
    };
  }

  private initializer(
    name: string,
    dims: readonly number[],
    type: keyof typeof DATA_TYPES,
    { buffer, byteOffset, byteLength }: ArrayBufferView,
  ): string {
    const raw_data = new Uint8Array(buffer, byteOffset, byteLength);
    this.initializers.push({ name, dims, data_type: DATA_TYPES[type], raw_data });
    return name;
  }
}

type Arrange = (
  values: Float32Array,
  shape: readonly number[],
) => { values: Float32Array; shape: readonly number[] };

const asItStands: Arrange = (values, shape) => ({ values, shape });

/**
 * `[rows, columns, a, b]` → `[b, a, rows, columns]`: a convolution's kernel to `[out, in, …]`, a
 * transposed one's to `[in, out, …]`.
 */
const kernelFirst: Arrange = (values, shape) => {
  const [rows, columns, a, b] = shape as [number, number, number, number];
  const taps = rows * columns;
  const exchanged = exchangeChannels(values, [rows, columns, a, b]); // [taps, b, a]
  const arranged = new Float32Array(values.length);
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < a * b; i++) arranged[i * taps + tap] = exchanged[tap * a * b + i]!;
  }
  return { values: arranged, shape: [b, a, rows, columns] };
};

/** TensorFlow's `same` padding of one axis. */
function samePadding(length: number, kernelSize: number, strides: number): [number, number] {
  const reach = (Math.ceil(length / strides) - 1) * strides + kernelSize;
  return split(Math.max(reach - length, 0));
}

/** The odd one goes behind. */
function split(padding: number): [before: number, after: number] {
  return [Math.floor(padding / 2), Math.ceil(padding / 2)];
}

const float = (name: string, f: number): Attribute => ({ name, type: ATTRIBUTE_TYPES.float, f });
const ints = (name: string, values: readonly number[]): Attribute => ({
  name,
  type: ATTRIBUTE_TYPES.ints,
  ints: values,
});
const text = (name: string, value: string): Attribute => ({
  name,
  type: ATTRIBUTE_TYPES.string,
  s: new TextEncoder().encode(value),
});
