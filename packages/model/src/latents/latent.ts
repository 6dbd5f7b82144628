import { createRandom, type Random } from './random.ts';

/** Where latents are drawn from: the article's `np.random.uniform(-1, 1, (n, 100))`. */
export interface LatentSpace {
  size: number;
  distribution: 'uniform';
  /**
   * Of a generator that was told classes (Mirza & Osindero 2014, arXiv:1411.1784): how many training
   * images each had. The last components of a latent then say its class, one for each: 1 at its own
   * place, −1 at the others. So a walk, a sum or a move goes between classes as it goes anywhere.
   */
  classes?: readonly number[] | undefined;
}

/**
 * The latent `[space.size]` that a seed stands for. Frozen: the same seed gives the same latent in
 * every runtime for ever (test vectors made with Python's hashlib: test/reference/latents.json).
 *
 * Component i is `(word >> 8) / 2²³ − 1`, word i being the i-th little-endian 32-bit word of
 * SHAKE128 over the UTF-8 of `killme/latent/v1/<seed>`. Where the space has classes, see
 * {@link randomLatents}.
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
  const latents = random.uniform(count * space.size);
  const { classes } = space;
  if (!classes) return latents;
  return placeClasses(
    latents,
    Array.from({ length: count }, (_, i) =>
      classAt(classes, (latents[(i + 1) * space.size - classes.length]! + 1) / 2),
    ),
    space,
  );
}

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
