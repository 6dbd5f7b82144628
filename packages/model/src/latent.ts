import { createRandom } from './random.ts';

/** Where latents are drawn from: the article's `np.random.uniform(-1, 1, (n, 100))`. */
export interface LatentSpace {
  size: number;
  distribution: 'uniform';
}

/**
 * The latent `[space.size]` that a seed stands for. Frozen: the same seed gives the same latent in
 * every runtime for ever (test vectors made with Python's hashlib: test/reference/latents.json).
 *
 * Component i is `(word >> 8) / 2²³ − 1`, word i being the i-th little-endian 32-bit word of
 * SHAKE128 over the UTF-8 of `killme/latent/v1/<seed>`.
 *
 * @param seed any string; its bounds are the caller's to check.
 */
export function seedToLatent(seed: string, space: LatentSpace): Float32Array {
  return createRandom(`killme/latent/v1/${seed}`).uniform(space.size);
}

/** How a walk goes from one latent to the other. */
export type WalkPath = 'linear' | 'slerp';

/** The point at `t` (0 … 1) on the straight line from `a` to `b`. */
export function lerp(a: Float32Array, b: Float32Array, t: number): Float32Array {
  return a.map((value, i) => value * (1 - t) + b[i]! * t);
}

/**
 * The point at `t` (0 … 1) on the great arc from `a` to `b` (White, "Sampling Generative Networks",
 * arXiv:1609.04468). Lengths differ in our latents, so direction and length are interpolated apart.
 * Where no single arc exists (equal, opposite or zero endpoints) it is the straight line.
 */
export function slerp(a: Float32Array, b: Float32Array, t: number): Float32Array {
  const lengthA = Math.hypot(...a);
  const lengthB = Math.hypot(...b);
  const dot = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const cosine = dot / (lengthA * lengthB);
  if (!(Math.abs(cosine) < 0.999999)) return lerp(a, b, t);
  const angle = Math.acos(cosine);
  const length = lengthA * (1 - t) + lengthB * t;
  const shareA = (Math.sin((1 - t) * angle) / Math.sin(angle)) * (length / lengthA);
  const shareB = (Math.sin(t * angle) / Math.sin(angle)) * (length / lengthB);
  return a.map((value, i) => value * shareA + b[i]! * shareB);
}

/**
 * `steps` latents from `from` to `to`, both ends included, evenly spaced (the article's strip of
 * ten intervals between its first two samples).
 * @param options.steps at least 2.
 */
export function walk({
  from,
  to,
  steps,
  path = 'linear',
}: {
  from: Float32Array;
  to: Float32Array;
  steps: number;
  path?: WalkPath;
}): Float32Array[] {
  const interpolate = path === 'slerp' ? slerp : lerp;
  return Array.from({ length: steps }, (_, i) => interpolate(from, to, i / (steps - 1)));
}

/**
 * Latent arithmetic: the sum of `plus` minus the sum of `minus`, kept inside the range that the
 * generator was trained on, [-1, 1] in each component.
 * @param terms at least one latent in `plus`, all of one length.
 */
export function mix({
  plus,
  minus,
}: {
  plus: Float32Array[];
  minus: Float32Array[];
}): Float32Array {
  const sum = (terms: Float32Array[], i: number) => terms.reduce((s, term) => s + term[i]!, 0);
  return plus[0]!.map((_, i) => Math.max(-1, Math.min(1, sum(plus, i) - sum(minus, i))));
}

/** Latents side by side in one array, `[latents.length, size]`, as generators take them. */
export function stackLatents(latents: readonly Float32Array[]): Float32Array {
  const size = latents[0]?.length ?? 0;
  const stacked = new Float32Array(latents.length * size);
  latents.forEach((latent, i) => {
    stacked.set(latent, i * size);
  });
  return stacked;
}
