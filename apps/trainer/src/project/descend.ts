import { adamStep } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';

/** Adam's numbers; the rate is {@link Descent.rateAt}'s. */
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Steps between waits for the device, which keep its queue, and Ctrl-C, short. */
const WAIT_EVERY = 10;

export interface Descent {
  steps: number;
  /** Adam's rate at a step (1 …), before its correction for having just begun. */
  rateAt: (step: number) => number;
  /** `[size]`, which components move. */
  moves: readonly boolean[];
  /** Called after each step, 1 … steps. */
  progress?: (step: number) => void;
}

/**
 * Latents that Adam has brought down a loss, each by its own gradient, and kept within [-1, 1].
 * @param starts `[n × size]`
 * @param lossesOf latents `[n, size]`: `[n]`
 * @returns `[n × size]`
 */
export async function descendLatents(
  starts: Float32Array,
  lossesOf: (latents: tf.Tensor2D) => tf.Tensor,
  { steps, rateAt, moves, progress = () => {} }: Descent,
): Promise<Float32Array> {
  const size = moves.length;
  const mask = tf.tensor1d(moves.map(Number));
  let latents = tf.tensor2d(starts, [starts.length / size, size]);
  let [first, second] = [tf.zerosLike(latents), tf.zerosLike(latents)];
  for (let step = 1; step <= steps; step++) {
    const correction = Math.sqrt(1 - ADAM.beta2 ** step) / (1 - ADAM.beta1 ** step);
    const next = tf.tidy(() => {
      const gradient = tf.grad((z) => tf.sum(lossesOf(z as tf.Tensor2D)))(latents);
      const tensors = { parameter: latents, firstMoment: first, secondMoment: second };
      const rate = rateAt(step) * correction;
      const adam = adamStep(tensors, tf.mul(gradient, mask), { ...ADAM, rate });
      return { ...adam, parameter: tf.clipByValue(adam.parameter, -1, 1) };
    });
    tf.dispose([latents, first, second]);
    latents = next.parameter as tf.Tensor2D;
    first = next.firstMoment as tf.Tensor2D;
    second = next.secondMoment as tf.Tensor2D;
    if (step % WAIT_EVERY === 0) await latents.data();
    progress(step);
  }
  const values = await latents.data<'float32'>();
  tf.dispose([latents, first, second, mask]);
  return values;
}
