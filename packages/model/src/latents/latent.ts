import { normalQuantile } from './normal.ts';
import { createRandom, type Random } from './random.ts';

/**
 * Where latents are sampled from, each component by itself: `uniform` is the article's
 * `np.random.uniform(-1, 1, (n, 100))`, `uniform01` is uniform in [0, 1), `normal` has a mean and a
 * standard deviation, 0 and 1 when omitted.
 */
export interface LatentSpace {
  size: number;
  distribution: 'uniform' | 'uniform01' | 'normal';
  mean?: number | undefined;
  deviation?: number | undefined;
  /**
   * Of a class-conditional generator (Mirza & Osindero 2014, arXiv:1411.1784): how many training
   * images each had. The last components of a latent then say its class, one for each: 1 at its own
   * place, −1 at the others. Latents between classes, of walks, sums and moves, are rendered as
   * {@link toNearestClass} has them.
   */
  classes?: readonly number[] | undefined;
}

/**
 * The latent `[space.size]` that a seed stands for. Frozen: the same seed gives the same latent in
 * every runtime for ever (test vectors made with Python's hashlib: test/reference/latents.json).
 *
 * With word i being the i-th little-endian 32-bit word of SHAKE128 over the UTF-8 of
 * `killme/latent/v1/<seed>`, component i is
 * - `uniform`: (word >> 8) / 2²³ − 1
 * - `uniform01`: (word >> 8) / 2²⁴
 * - `normal`: mean + deviation · Φ⁻¹(((word >> 8) + ½) / 2²⁴), see normal.ts
 *
 * rounded to float32. Where the space has classes, see {@link randomLatents}.
 *
 * @param seed any string; its bounds are the caller's to check.
 */
export function seedToLatent(seed: string, space: LatentSpace): Float32Array {
  return randomLatents(createRandom(`killme/latent/v1/${seed}`), 1, space);
}

/**
 * Latents one after the other, `[count × space.size]`. Where the space has classes, the first of the
 * components that say the class chooses it before it is replaced: classes come up as often as among
 * the training images.
 */
export function randomLatents(random: Random, count: number, space: LatentSpace): Float32Array {
  const uniform = random.uniform(count * space.size);
  const { classes } = space;
  const latents = distributed(uniform, space);
  if (!classes) return latents;
  return placeClasses(
    latents,
    Array.from({ length: count }, (_, i) =>
      classAt(classes, (uniform[(i + 1) * space.size - classes.length]! + 1) / 2),
    ),
    space,
  );
}

/** Numbers of [-1, 1) as those of the space's distribution. */
function distributed(uniform: Float32Array, { distribution, ...space }: LatentSpace): Float32Array {
  const { mean = 0, deviation = 1 } = space;
  switch (distribution) {
    case 'uniform':
      return uniform;
    case 'uniform01':
      return uniform.map((value) => (value + 1) / 2);
    case 'normal':
      return uniform.map(
        (value) => mean + deviation * normalQuantile((value + 1) / 2 + 1 / 2 ** 25),
      );
  }
}

/** The mean and the standard deviation of a component, for how far a step in a direction is. */
export function moments({ distribution, mean = 0, deviation = 1 }: LatentSpace): {
  mean: number;
  deviation: number;
} {
  switch (distribution) {
    case 'uniform':
      return { mean: 0, deviation: 1 / Math.sqrt(3) };
    case 'uniform01':
      return { mean: 0.5, deviation: 1 / Math.sqrt(12) };
    case 'normal':
      return { mean, deviation };
  }
}

/** How far from its mean a component of a normal latent may be, in standard deviations. */
const NORMAL_REACH = 6;

/** The lowest and highest number that a component may be. Those that say a class are −1 to 1. */
export function latentBounds(space: LatentSpace): readonly [low: number, high: number] {
  const { mean, deviation } = moments(space);
  switch (space.distribution) {
    case 'uniform':
      return [-1, 1];
    case 'uniform01':
      return [0, 1];
    case 'normal':
      return [mean - NORMAL_REACH * deviation, mean + NORMAL_REACH * deviation];
  }
}

/** A latent brought into the bounds of its space. */
export function withinBounds(latent: Float32Array, space: LatentSpace): Float32Array {
  const [low, high] = latentBounds(space);
  const free = space.size - (space.classes?.length ?? 0);
  return latent.map((value, i) =>
    i < free ? Math.max(low, Math.min(high, value)) : Math.max(-1, Math.min(1, value)),
  );
}

/**
 * The way between two latents that a walk takes when none is named. The latents between two normal
 * ones on a line are shorter than any that the generator was trained on.
 */
export const defaultPath = ({ distribution }: LatentSpace): WalkPath =>
  distribution === 'normal' ? 'slerp' : 'linear';

/** The class at a share of all images, 0 ≤ share < 1. */
function classAt(classes: readonly number[], share: number): number {
  const total = classes.reduce((sum, count) => sum + count, 0);
  let before = 0;
  return classes.findIndex((count) => {
    before += count;
    return share * total < before;
  });
}

/**
 * Writes classes into latents, in place; see {@link LatentSpace}.
 * @param latents `[labels.length × space.size]`
 * @param labels index of the class of each latent
 * @throws Error when the space has no such class.
 */
export function placeClasses(
  latents: Float32Array,
  labels: ArrayLike<number>,
  { size, classes = [] }: LatentSpace,
): Float32Array {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(label in classes)) throw new Error(`there is no class ${label}`);
    const end = (i + 1) * size;
    latents.fill(-1, end - classes.length, end);
    latents[end - classes.length + label] = 1;
  }
  return latents;
}

/** By how much a component of a latent may lead one class before another, at most; 1 at the middle of two. */
const CLASS_LEAD = 0.5;

/**
 * A latent with the class that it is nearest to. A class-conditional generator has learned from latents of
 * one class each; between two of them it renders blends of both.
 *
 * The class is the k with the largest c_k + ½ u_k: c_k is what the latent says of class k, and u_k, in
 * [-1, 1], where its component k lies in the range of the distribution. So a walk between two classes changes
 * over at a place of its own, between 1/4 and 3/4 of the way, and a latent of a class keeps it.
 *
 * @param latent `[space.size]`
 * @returns the latent itself where the space has no classes
 */
export function toNearestClass(latent: Float32Array, space: LatentSpace): Float32Array {
  const { size, classes } = space;
  if (!classes) return latent;
  const free = size - classes.length;
  const { mean, deviation } = moments(space);
  const lead = (k: number) => {
    if (k >= free) return 0;
    const uniform = (latent[k]! - mean) / (deviation * Math.sqrt(3));
    return CLASS_LEAD * Math.max(-1, Math.min(1, uniform));
  };
  const scores = classes.map((_, k) => latent[free + k]! + lead(k));
  return placeClasses(latent.slice(), [scores.indexOf(Math.max(...scores))], space);
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
 * Latent arithmetic: the sum of `plus` minus the sum of `minus`, each counted from the mean of the
 * space, kept inside the range that the generator was trained on ({@link latentBounds}). A normal
 * sum is as long as its longest term at most: lengths hardly differ among normal latents.
 * @param terms at least one latent in `plus`, all of one length.
 */
export function mix(
  { plus, minus }: { plus: Float32Array[]; minus: Float32Array[] },
  space: LatentSpace,
): Float32Array {
  const { mean } = moments(space);
  const sum = (terms: Float32Array[], i: number) =>
    terms.reduce((total, term) => total + (term[i]! - mean), 0);
  const total = plus[0]!.map((_, i) => sum(plus, i) - sum(minus, i));
  const length = (latent: Float32Array, from: number) =>
    Math.sqrt(latent.reduce((squares, value) => squares + (value - from) ** 2, 0));
  const longest = Math.max(...[...plus, ...minus].map((term) => length(term, mean)));
  const shrink =
    space.distribution === 'normal' && !space.classes
      ? Math.min(1, longest / (length(total, 0) || 1))
      : 1;
  return withinBounds(
    total.map((value) => mean + shrink * value),
    space,
  );
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
