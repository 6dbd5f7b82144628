/**
 * From where a mapping network takes latents back to latents: what an encoder says of an image lies behind the
 * mapping network, and the generator is served with latents before it.
 *
 * @module
 */
import { createRandom, type LatentSpace } from '@killme/model';
import * as tf from '@tensorflow/tfjs-core';
import { hasMapping, mapLatents } from '../gan/mapping-network.ts';
import type { PlacedNetwork } from '../gan/network-state.ts';
import { descendLatents } from './descend.ts';

/** Random latents that are looked at, and how many of them descent starts from. */
const LOOKED_AT = 1_024;
const STARTS = 8;

const STEPS = 150;
const RATE = 0.02;

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
  if (!hasMapping(generator.network)) return within;
  const { size } = space;
  const random = createRandom('killme/unmap/v1').uniform(LOOKED_AT * size);
  const moved = await movedComponents(generator, random, space);
  const candidates = random.map((value, i) => (moved[i % size] ? value : within[i % size]!));
  const best = await nearest(generator, { candidates, mapped, count: STARTS });
  const found = await descendLatents(best, (z) => distances(generator, z, mapped), {
    steps: STEPS,
    rateAt: () => RATE,
    moves: moved,
  });
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
