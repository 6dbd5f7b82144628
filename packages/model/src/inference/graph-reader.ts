/**
 * Layers as operations: what can be done together becomes one.
 *
 * @module
 */
import { decodeWeight, type HostWeights } from '../generator-file/weights.ts';
import type { Activation } from '../networks/layers.ts';
import { NETWORK_INPUT, type Network, type PlacedLayer } from '../networks/network.ts';
import { geometryOf } from './convolution-geometry.ts';
import { type Affine, affineOf, foldAfter, foldConvolution, weightOf } from './fold.ts';
import {
  type Arithmetic,
  type ConvolutionOp,
  type DenseOp,
  type Finish,
  type ImageShape,
  type InferenceGraph,
  LATENTS,
  type Op,
  type OpNode,
} from './graph.ts';
import { affineAfter, asImage, plainOperation, unsupported } from './plain-operation.ts';

/** What a layer gives, as far as operations have been made for it. */
interface Value {
  /** Place of the operation that makes it, before what is put off. */
  node: number;
  /** Of the layer, without the batch axis. */
  shape: readonly number[];
  /** A normalization that has not found its convolution yet. */
  pending?: Affine | undefined;
  /** An upsampling put off: pointwise operations may pass it, as equal pixels stay equal. */
  upsampled?: boolean;
}

type Placed<Type extends PlacedLayer['layer']['type']> = PlacedLayer & {
  layer: Extract<PlacedLayer['layer'], { type: Type }>;
};

/**
 * Reads a generator.
 * @throws Error naming the layer that no operation does, or the missing weight.
 */
export function inferenceGraph(
  network: Network,
  weights: HostWeights,
  arithmetic: Arithmetic = 'float32',
): InferenceGraph {
  return new GraphReader(network, weights, arithmetic).read();
}

/** Turns layers into operations, one after the other, each as far into the one before as it goes. */
class GraphReader {
  private readonly nodes: OpNode[] = [];
  private readonly values: Value[] = [];
  /** Operations that several layers read: nothing more is done in them. */
  private readonly shared = new Set<number>();
  private readonly network: Network;
  private readonly weights: HostWeights;
  private readonly arithmetic: Arithmetic;

  constructor(network: Network, weights: HostWeights, arithmetic: Arithmetic) {
    this.network = network;
    this.weights = weights;
    this.arithmetic = arithmetic;
  }

  read(): InferenceGraph {
    const { layers, outputShape } = this.network;
    layers.forEach((placed, i) => {
      const value = this.add(placed);
      // A layer may read a value twice: x · x.
      const readers = layers.flatMap(({ inputs }) => inputs).filter((at) => at === i).length;
      this.values.push(readers > 1 ? this.share(value) : value);
    });
    const last = this.settle(this.values.at(-1)!);
    // The last operation gives the output.
    if (last.node !== this.nodes.length - 1)
      this.push({ type: 'rescaling', scale: 1, offset: 0 }, last);
    return { nodes: this.nodes, output: asImage(outputShape) };
  }

  private add(placed: PlacedLayer): Value {
    const { layer, outputShape: shape } = placed;
    const [input] = placed.inputs.map((at) => this.valueAt(at));
    if (!input) throw unsupported(placed, 'it has no input');
    switch (layer.type) {
      case 'dropout':
        return input; // does nothing outside training
      case 'reshape':
      case 'flatten':
        return { ...this.settle(input), shape };
      case 'batchNormalization':
        return { ...this.normalize(input), pending: affineOf(placed, this.weights) };
      case 'activation':
        return this.activate(this.normalize(input), layer.activation);
      case 'leakyRelu':
      case 'elementwise':
      case 'rescaling':
        return this.push(layer, this.normalize(input));
      case 'upSampling2d':
        return { ...this.upsample(input), upsampled: true, shape };
      case 'dense':
        return this.dense(placed as Placed<'dense'>, this.settle(input));
      case 'conv2d':
      case 'paddedConv2d':
      case 'conv2dTranspose':
      case 'croppedConv2dTranspose':
        return this.convolve(placed, input);
      default:
        return this.addPlain(placed);
    }
  }

  /** Layers into which nothing else goes. */
  private addPlain(placed: PlacedLayer): Value {
    const inputs = placed.inputs.map((at) => this.settle(this.valueAt(at)));
    const value = this.push(plainOperation(placed, this.weights), ...inputs);
    return { ...value, shape: placed.outputShape, pending: affineAfter(placed, this.weights) };
  }

  private valueAt(at: number): Value {
    if (at === NETWORK_INPUT) return { node: LATENTS, shape: this.network.inputShape };
    return this.values[at]!;
  }

  /** Adds an operation; its value has the shape of the first input's. */
  private push(op: Op, ...from: Value[]): Value {
    const inputShapes = from.map(({ shape, upsampled }) => {
      const [height, width, channels] = asImage(shape);
      return upsampled
        ? ([height / 2, width / 2, channels] as const)
        : ([height, width, channels] as const);
    });
    this.nodes.push({ op, inputs: from.map(({ node }) => node), inputShapes });
    return { ...from[0]!, node: this.nodes.length - 1 };
  }

  private share(value: Value): Value {
    const settled = this.settle(value);
    this.shared.add(settled.node);
    return settled;
  }

  private dense({ name, layer }: Placed<'dense'>, input: Value): Value {
    const op: DenseOp = {
      type: 'dense',
      kernel: weightOf(this.weights, `${name}/kernel`),
      scale: undefined,
      bias: decodeWeight(weightOf(this.weights, `${name}/bias`)).slice(),
      finish: {},
    };
    const value = { ...this.push(op, input), shape: [layer.units] };
    return layer.activation ? this.activate(value, layer.activation) : value;
  }

  private convolve(placed: PlacedLayer, given: Value): Value {
    const { pending } = given;
    let input = pending ? this.addShift({ ...given, pending: undefined }, pending) : given;
    const folded = foldConvolution(placed, this.weights, pending);
    const { layer, inputShape, outputShape } = placed;
    const fits = layer.type === 'conv2d' && layer.kernelSize === 3 && layer.strides === 1;
    if (!fits) input = this.upsample(input);
    const { upsampled = false } = input;
    const [height, width, channels] = inputShape as ImageShape;
    const op: ConvolutionOp = {
      type: 'convolution',
      ...geometryOf(placed, upsampled),
      arithmetic: this.arithmetic,
      ...folded,
      finish: {},
      input: upsampled ? [height / 2, width / 2, channels] : [height, width, channels],
      output: outputShape as ImageShape,
    };
    return { ...this.push(op, input), shape: outputShape, upsampled: false };
  }

  private activate(value: Value, activation: Activation): Value {
    const finish = this.finishOf(value);
    if (!finish || finish.activation) return this.push({ type: 'activation', activation }, value);
    finish.activation = activation;
    return value;
  }

  /** The end of the operation, if it makes sums and more can be done to them. */
  private finishOf({ node }: Value): Finish | undefined {
    const op = this.nodes[node]?.op;
    if (op?.type !== 'convolution' && op?.type !== 'dense') return undefined;
    return op.finish.after || this.shared.has(node) ? undefined : op.finish;
  }

  /** The operation that sums what a normalization is of, channel for channel. */
  private sumsOf({ node }: Value, channels: number): ConvolutionOp | DenseOp | undefined {
    const op = this.nodes[node]?.op;
    if (op?.type === 'convolution') return op.bias.length === channels ? op : undefined;
    return op?.type === 'dense' && op.bias.length % channels === 0 ? op : undefined;
  }

  private normalize(value: Value): Value {
    const { pending } = value;
    return pending ? this.applyAffine({ ...value, pending: undefined }, pending) : value;
  }

  /** Normalization as it stands: into the sums, if nothing has been done to them yet. */
  private applyAffine(value: Value, affine: Affine): Value {
    const fresh = this.finishOf(value);
    const op = this.sumsOf(value, affine.scale.length);
    if (!op || !fresh || fresh.activation) return this.push({ type: 'affine', ...affine }, value);
    if (op.type === 'convolution') foldAfter(op, affine);
    else scaleUnits(op, affine);
    return value;
  }

  /** What is left of a normalization whose scale is in the kernel after it. */
  private addShift(value: Value, { scale, shift }: Affine): Value {
    const ratio = shift.map((number, i) => number / scale[i]!);
    const finish = this.finishOf(value);
    const op = this.sumsOf(value, ratio.length);
    if (!op || !finish) {
      return this.push({ type: 'affine', scale: undefined, shift: ratio }, value);
    }
    finish.after = op.bias.map((_, i) => ratio[i % ratio.length]!);
    return value;
  }

  private upsample(value: Value): Value {
    if (!value.upsampled) return value;
    return { ...this.push({ type: 'upsample' }, value), upsampled: false };
  }

  /** Nothing is put off any longer. */
  private settle = (value: Value): Value => this.upsample(this.normalize(value));
}

/** Normalization by channel into a Dense layer; a normalization before Reshape has a channel for each unit. */
function scaleUnits(dense: DenseOp, { scale, shift }: Affine): void {
  const before = dense.scale;
  dense.scale = dense.bias.map((_, i) => (before?.[i] ?? 1) * scale[i % scale.length]!);
  dense.bias = dense.bias.map(
    (value, i) => value * scale[i % scale.length]! + shift[i % shift.length]!,
  );
}
