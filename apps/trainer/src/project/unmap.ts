/**
 * From where a mapping network takes latents back to latents: what an encoder says of an image lies behind the
 * mapping network, and the generator is served with latents before it.
 *
 * @module
 */
import { createRandom, type LatentSpace } from '@killme/model';
import { adamStep } from '@killme/model/training';
import * as tf from '@tensorflow/tfjs-core';
import { mapLatents, mappingLayers } from '../gan/mapping-network.ts';
import type { PlacedNetwork } from '../gan/network-state.ts';

/** Random latents that are looked at, and how many of them descent starts from. */
const LOOKED_AT = 1_024;
const STARTS = 8;

/** Adam on latents. */
const STEPS = 150;
const ADAM = { rate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** By less than this no component is moved. */
const LEAST_MOVE = 1e-3;

/**
 * The latent that the mapping network takes the nearest to a given one. Its class and the components that the
 * network does not move stay as they are.
 * @param mapped `[space.size]`, as the synthesis network takes it
 * @returns `[space.size]`, in [-1, 1]
 */
export async function unmapLatent(
  generator: PlacedNetwork,
  mapped: Float32Array,
  space: LatentSpace,
): Promise<Float32Array> {
  const within = mapped.map((value) => Math.max(-1, Math.min(1, value)));
  if (mappingLayers(generator.network).length === 0) return within;
  const { size } = space;
  const random = createRandom('killme/unmap/v1').uniform(LOOKED_AT * size);
  const moved = await movedComponents(generator, random, space);
  const candidates = random.map((value, i) => (moved[i % size] ? value : within[i % size]!));
  const best = await nearest(generator, { candidates, mapped, count: STARTS });
  const found = await descend(generator, best, { mapped, moved });
  return nearest(generator, { candidates: found, mapped, count: 1 });
}

/** `[size]`, which components the network moves; those that say a class are none of them. */
async function movedComponents(
  generator: PlacedNetwork,
  random: Float32Array,
  { size, classes = [] }: LatentSpace,
): Promise<boolean[]> {
  const moves = tf.tidy(() => {
    const latents = tf.tensor2d(random, [random.length / size, size]);
    return tf.max(tf.abs(tf.sub(mapLatents(generator, latents), latents)), 0);
  });
  const values = await moves.data<'float32'>();
  moves.dispose();
  return Array.from(values, (move, i) => i < size - classes.length && move > LEAST_MOVE);
}

const distances = (generator: PlacedNetwork, latents: tf.Tensor2D, mapped: Float32Array) =>
  tf.sum(tf.squaredDifference(mapLatents(generator, latents), tf.tensor1d(mapped)), 1);

/** The `count` candidates that are taken the nearest, one after the other. */
async function nearest(
  generator: PlacedNetwork,
  { candidates, mapped, count }: { candidates: Float32Array; mapped: Float32Array; count: number },
): Promise<Float32Array> {
  const size = mapped.length;
  const far = tf.tidy(() =>
    distances(generator, tf.tensor2d(candidates, [candidates.length / size, size]), mapped),
  );
  const values = await far.data<'float32'>();
  far.dispose();
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const rows = order.slice(0, count).map((i) => candidates.subarray(i * size, (i + 1) * size));
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

async function descend(
  generator: PlacedNetwork,
  starts: Float32Array,
  { mapped, moved }: { mapped: Float32Array; moved: readonly boolean[] },
): Promise<Float32Array> {
  const size = mapped.length;
  const mask = tf.tensor1d(moved.map(Number));
  let latents = tf.tensor2d(starts, [starts.length / size, size]);
  let [first, second] = [tf.zerosLike(latents), tf.zerosLike(latents)];
  for (let step = 1; step <= STEPS; step++) {
    const correction = Math.sqrt(1 - ADAM.beta2 ** step) / (1 - ADAM.beta1 ** step);
    const next = tf.tidy(() => {
      const gradient = tf.grad((z) => tf.sum(distances(generator, z as tf.Tensor2D, mapped)))(
        latents,
      );
      const tensors = { parameter: latents, firstMoment: first, secondMoment: second };
      const rate = ADAM.rate * correction;
      const adam = adamStep(tensors, tf.mul(gradient, mask), { ...ADAM, rate });
      return { ...adam, parameter: tf.clipByValue(adam.parameter, -1, 1) };
    });
    tf.dispose([latents, first, second]);
    latents = next.parameter as tf.Tensor2D;
    first = next.firstMoment as tf.Tensor2D;
    second = next.secondMoment as tf.Tensor2D;
  }
  const values = await latents.data<'float32'>();
  tf.dispose([latents, first, second, mask]);
  return values;
}
