/**
 * The generator made ready for serving: tfjs-core only, on whatever backend is current.
 *
 * - The Dense layer, 98 % of the article's weights, is multiplied on the host straight from its
 *   stored encoding: it never exists as float32, and never in the backend's memory.
 * - Upsampling and the convolution after it are one step (phases.ts); a transposed convolution is
 *   ordinary ones (transposed.ts).
 * - Batch normalization, y = scale · x + shift, is gone: directly after a convolution it goes into
 *   that kernel and bias; before one its scale goes into the kernel, and shift / scale is one
 *   addition before it, so that the zeros of the padding stay zeros.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import { activateOnHost, denseOnHost } from './dense.ts';
import { type Affine, affineOf, foldAfter, foldConvolution, weightOf } from './fold.ts';
import {
  addShift,
  applyAffine,
  convolution,
  DEVICE_ACTIVATIONS,
  type FusedActivation,
  type HostStep,
  leakyReluOnHost,
  type Pointwise,
  type Step,
  transposedConvolution,
  upsample,
  upsampledConvolution,
} from './inference-steps.ts';
import type { Activation } from './layers.ts';
import type { Network, PlacedLayer } from './network.ts';
import { decodeWeight, type HostWeights } from './weights.ts';

export interface InferenceGenerator {
  latentSize: number;
  /** `[height, width, channels]` of one image. */
  imageShape: readonly [number, number, number];
  /**
   * @param latents `[count, latentSize]`, flat
   * @returns `[count, height, width, channels]` in [-1, 1]; the caller disposes of it.
   */
  generate(latents: Float32Array, count: number): tf.Tensor4D;
  /** Frees the kernels in the backend's memory. */
  dispose(): void;
}

/**
 * Compiles a generator that begins with Dense and, on the way to the first convolution, Reshape.
 * @throws Error naming the layer that the inference graph has no step for, or the missing weight.
 */
export function compileGenerator(network: Network, weights: HostWeights): InferenceGenerator {
  const first = network.layers[0];
  if (first?.layer.type !== 'dense') throw new Error('a generator must begin with a dense layer');
  const kernel = weightOf(weights, `${first.name}/kernel`);
  const bias = decodeWeight(weightOf(weights, `${first.name}/bias`));
  const compiler = new Compiler(weights);
  if (first.layer.activation) compiler.activate(first.layer.activation);
  network.layers.forEach((placed, i) => {
    if (i > 0) compiler.add(placed, network.layers.slice(i + 1));
  });
  const { hostSteps, steps, kept, startShape } = compiler.finish();

  const imageShape = network.outputShape as [number, number, number];
  return {
    latentSize: network.inputShape[0]!,
    imageShape,
    generate(latents, count) {
      const values = denseOnHost({ latents, count, kernel, bias });
      for (const step of hostSteps) step(values);
      return tf.tidy(() =>
        steps.reduce((x, step) => step(x), tf.tensor4d(values, [count, ...startShape])),
      );
    },
    dispose() {
      tf.dispose(kept);
    },
  };
}

/** Turns layers into steps, one after the other; what can run on the host before the first convolution does. */
class Compiler {
  readonly hostSteps: HostStep[] = [];
  readonly steps: Step[] = [];
  readonly kept: tf.Tensor[] = [];
  /** The image that the host hands to the backend. */
  startShape: [number, number, number] | undefined;
  /** A normalization that has not found its convolution yet. */
  private pending: Affine | undefined;
  /** An upsampling put off: pointwise steps may pass it, as equal pixels stay equal. */
  private upsampled = false;
  /** Layers that a convolution has taken into itself. */
  private readonly folded = new Set<PlacedLayer>();
  private readonly weights: HostWeights;

  constructor(weights: HostWeights) {
    this.weights = weights;
  }

  /** @param following the layers after this one. */
  add(placed: PlacedLayer, following: readonly PlacedLayer[]): void {
    const { layer } = placed;
    if (this.folded.has(placed)) return;
    switch (layer.type) {
      case 'dropout':
        break; // does nothing outside training
      case 'reshape':
        this.reshape(placed);
        break;
      case 'batchNormalization':
        this.normalizeNow();
        this.pending = affineOf(placed, this.weights);
        break;
      case 'activation':
        this.activate(layer.activation);
        break;
      case 'leakyRelu':
        this.normalizeNow();
        this.pointwise({
          host: leakyReluOnHost(layer.alpha),
          device: () => (x) => tf.leakyRelu(x, layer.alpha),
        });
        break;
      case 'upSampling2d':
        this.upsampleNow();
        this.upsampled = true;
        break;
      case 'conv2d':
      case 'conv2dTranspose':
        this.convolve(placed, following);
        break;
      default:
        throw unsupported(placed, `no inference step for ${layer.type}`);
    }
  }

  activate(activation: Activation): void {
    this.normalizeNow();
    this.pointwise({
      host: (values) => activateOnHost(values, activation),
      device: () => DEVICE_ACTIVATIONS[activation],
    });
  }

  finish() {
    this.normalizeNow();
    this.upsampleNow();
    const { hostSteps, steps, kept, startShape } = this;
    if (!startShape) throw new Error('a generator must have a reshape to an image');
    return { hostSteps, steps, kept, startShape };
  }

  private reshape(placed: PlacedLayer): void {
    if (this.steps.length > 0 || this.upsampled) {
      throw unsupported(placed, 'a reshape after the first upsampling or convolution');
    }
    this.normalizeNow();
    this.startShape = placed.outputShape as [number, number, number];
  }

  private convolve(placed: PlacedLayer, [next, afterNext]: readonly PlacedLayer[]): void {
    if (placed.layer.type !== 'conv2d' && placed.layer.type !== 'conv2dTranspose') return;
    const { type, strides, kernelSize } = placed.layer;
    if (this.pending) this.pointwise(addShift(this.pending));
    const folded = foldConvolution(placed, this.weights, this.pending);
    this.pending = undefined;
    let after = next;
    if (next?.layer.type === 'batchNormalization') {
      foldAfter(folded, affineOf(next, this.weights));
      this.folded.add(next);
      after = afterNext;
    }
    const activation = fusedActivation(after);
    if (activation) this.folded.add(after!);
    const options = { ...folded, strides, activation, keep: this.keep };
    if (type === 'conv2dTranspose') {
      this.upsampleNow();
      this.steps.push(transposedConvolution(options));
    } else if (this.upsampled && kernelSize === 3 && strides === 1) {
      this.upsampled = false;
      this.steps.push(upsampledConvolution(options));
    } else {
      this.upsampleNow();
      this.steps.push(convolution(options));
    }
  }

  private normalizeNow(): void {
    if (this.pending) this.pointwise(applyAffine(this.pending));
    this.pending = undefined;
  }

  private upsampleNow(): void {
    if (this.upsampled) this.steps.push(upsample);
    this.upsampled = false;
  }

  private pointwise({ host, device }: Pointwise): void {
    if (this.steps.length === 0) this.hostSteps.push(host);
    else this.steps.push(device(this.keep));
  }

  private readonly keep = <T extends tf.Tensor>(tensor: T): T => {
    this.kept.push(tensor);
    return tensor;
  };
}

function fusedActivation(placed: PlacedLayer | undefined): FusedActivation | undefined {
  if (placed?.layer.type !== 'activation' || placed.layer.activation === 'tanh') return undefined;
  return placed.layer.activation;
}

function unsupported({ name }: PlacedLayer, reason: string): Error {
  return new Error(`the generator's layer ${name} cannot be served: ${reason}`);
}
