/**
 * A network that learns numbers from numbers. An engine that records steps replays its step.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises';
import { applyNetwork } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { feed } from '../engines/feed.ts';
import { createReplay, type Step, type TakenStep } from '../engines/replay.ts';
import { keepStepCounts, networkSlots } from './gan-state.ts';
import { applyAdam, type NetworkState, trainableTensors } from './network-state.ts';

/** Adam; its rate falls to zero as a half cosine. */
const ADAM = { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

/** What a step learns from. */
export interface Examples {
  /** `[n × inputs]` */
  input: Float32Array;
  /** `[n × outputs]` */
  target: Float32Array;
}

export interface RegressionOptions {
  steps: number;
  /** Ends it early. */
  signal?: AbortSignal | undefined;
  /** Of what the network gives for the input, and the target, `[n, outputs]` each. */
  loss: (given: tf.Tensor, target: tf.Tensor) => tf.Scalar;
  /** Whether an engine that can record steps replays them; without it, it does. */
  replay?: boolean | undefined;
  /** Gets a line when the engine records the step. */
  log?: ((line: string) => void) | undefined;
}

/** The mean over all numbers. */
export const meanSquaredError = (given: tf.Tensor, target: tf.Tensor): tf.Scalar =>
  tf.mean(tf.square(tf.sub(given, target)));

/**
 * Takes steps of Adam on a network's loss. Its tensors are replaced.
 * @param next the examples of each step, equally many every time.
 */
export async function learnRegression(
  state: NetworkState,
  next: () => Examples,
  { steps, signal, loss, replay: record, log }: RegressionOptions,
): Promise<void> {
  const replay = createReplay({ ...(record !== undefined && { record }), ...(log && { log }) });
  let examples: Examples;
  const step = regressionStep(state, () => examples, { steps, loss });
  const taken: TakenStep[] = [];
  const settle = async (waiting: number) => {
    while (taken.length > waiting) await taken.shift()!.read();
  };
  try {
    for (let i = 0; i < steps && !signal?.aborted; i++) {
      examples = next();
      taken.push(replay.take(state.network.name, step));
      await settle(replay.lag);
      await setImmediate(); // lets a signal in
    }
    await settle(0);
  } finally {
    replay.dispose();
  }
}

function regressionStep(
  state: NetworkState,
  examples: () => Examples,
  { steps, loss }: Pick<RegressionOptions, 'steps' | 'loss'>,
): Step {
  const [inputs] = state.network.inputShape as [number];
  const [outputs] = state.network.outputShape as [number];
  const adam = {
    ...ADAM,
    decay: (taken: number) => 0.5 * (1 + Math.cos((Math.PI * taken) / steps)),
  };
  return {
    state: networkSlots(state),
    keepCounts: () => keepStepCounts([state]),
    run() {
      const { input, target } = examples();
      const { value, grads } = tf.tidy(() => {
        const x = feed([input.length / inputs, inputs], () => examples().input);
        const y = feed([target.length / outputs, outputs], () => examples().target);
        return tf.valueAndGrads(() => {
          return loss(applyNetwork(state.network, state.weights, x, { training: false }), y);
        })(trainableTensors(state));
      });
      applyAdam(state, grads, adam);
      const values = tf.reshape<tf.Rank.R1>(value, [1]);
      value.dispose();
      return { names: ['loss'], values };
    },
  };
}
