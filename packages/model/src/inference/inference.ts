/**
 * The generator made ready for serving: tfjs-core only, on whatever backend is current.
 * graph.ts says what is computed, steps.ts how on any backend, simd/ how on wasm.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HostWeights } from '../generator-file/weights.ts';
import type { Network } from '../networks/network.ts';
import { type Arithmetic, type ImageShape, LATENTS } from './graph.ts';
import { inferenceGraph } from './graph-reader.ts';
import type { Step } from './step.ts';
import { type LatentStep, type StepMaker, tfjsSteps } from './steps.ts';

export interface InferenceGenerator {
  latentSize: number;
  imageShape: ImageShape;
  /**
   * @param latents `[count, latentSize]`, flat
   * @returns `[count, height, width, channels]`, in the range that the generator file says; the
   *   caller disposes of it.
   */
  generate(latents: Float32Array, count: number): tf.Tensor4D;
  /** Frees the kernels in the backend's memory. */
  dispose(): void;
}

/** One operation, ready to run. */
interface RunnableNode {
  /** Of a Dense layer on the latents, which takes them as they are. */
  first: LatentStep | undefined;
  step: Step | undefined;
  inputs: readonly number[];
  inputShapes: readonly ImageShape[];
  /** Values that no later operation reads. */
  freed: readonly number[];
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
  const { nodes, output } = inferenceGraph(network, weights, arithmetic);
  const runnable = nodes.map(({ op, inputs, inputShapes }, i): RunnableNode => {
    const first = op.type === 'dense' && inputs[0] === LATENTS ? steps.dense(op) : undefined;
    const freed = inputs.filter(
      (at) => at !== LATENTS && !nodes.slice(i + 1).some((later) => later.inputs.includes(at)),
    );
    return { first, step: first ? undefined : steps.step(op), inputs, inputShapes, freed };
  });
  return {
    latentSize: network.inputShape[0]!,
    imageShape: output,
    generate: (latents, count) =>
      tf.tidy(() => tf.reshape(runNodes(runnable, latents, count), [count, ...output])),
    dispose: steps.dispose,
  };
}

function runNodes(nodes: readonly RunnableNode[], latents: Float32Array, count: number) {
  const values: tf.Tensor4D[] = [];
  for (const { first, step, inputs, inputShapes, freed } of nodes) {
    const [x, ...others] = inputs.map((at, i): (() => tf.Tensor4D) => () => {
      const shape: [number, number, number, number] = [count, ...inputShapes[i]!];
      return at === LATENTS ? tf.tensor4d(latents, shape) : tf.reshape(values[at]!, shape);
    });
    values.push(
      tf.tidy(() =>
        first ? first(latents, count) : step!(x!(), ...others.map((other) => other())),
      ),
    );
    // What an operation no longer needed takes is free for the next ones.
    for (const at of freed) values[at]!.dispose();
  }
  return values.at(-1)!;
}
