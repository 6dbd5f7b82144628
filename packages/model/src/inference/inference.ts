/**
 * The generator made ready for serving: tfjs-core only, on whatever backend is current.
 * inference-graph.ts says what is computed, inference-steps.ts how on any backend, simd/ how on wasm.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HostWeights } from '../generator-file/weights.ts';
import type { Network } from '../networks/network.ts';
import { type Arithmetic, type ImageShape, inferenceGraph } from './graph.ts';
import { type StepMaker, tfjsSteps } from './steps.ts';

export interface InferenceGenerator {
  latentSize: number;
  imageShape: ImageShape;
  /**
   * @param latents `[count, latentSize]`, flat
   * @returns `[count, height, width, channels]` in [-1, 1]; the caller disposes of it.
   */
  generate(latents: Float32Array, count: number): tf.Tensor4D;
  /** Frees the kernels in the backend's memory. */
  dispose(): void;
}

/**
 * Compiles a generator.
 * @param options.steps makes the operations of the current backend; tfjs's own when omitted
 * @param options.arithmetic of the convolutions, as the generator file says; float32 when omitted
 * @throws Error naming the layer that the inference graph has no step for, or the missing weight.
 */
export function compileGenerator(
  network: Network,
  weights: HostWeights,
  {
    steps = tfjsSteps(),
    arithmetic = 'float32',
  }: { steps?: StepMaker; arithmetic?: Arithmetic } = {},
): InferenceGenerator {
  const { dense, ops } = inferenceGraph(network, weights, arithmetic);
  const first = steps.dense(dense);
  const others = ops.map((op) => steps.step(op));
  return {
    latentSize: network.inputShape[0]!,
    imageShape: network.outputShape as unknown as ImageShape,
    generate: (latents, count) =>
      tf.tidy(() => others.reduce((images, step) => step(images), first(latents, count))),
    dispose: steps.dispose,
  };
}
