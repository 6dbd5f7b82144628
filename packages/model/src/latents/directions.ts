import { type LatentSpace, moments, withinBounds } from './latent.ts';

/**
 * A named direction of latent space in which pictures change.
 * - `factor`: a main direction of the generator's first layer (SeFa: Shen & Zhou 2021,
 *   arXiv:2007.06600), the strongest first.
 * - `class`: towards the mean latent of the samples that a classifier takes for that class, from the
 *   mean of all; of a class-conditional generator, towards latents that say that class.
 */
export interface Direction {
  name: string;
  kind: 'factor' | 'class';
  /** `[latent size]`; of length 1, but for a class of a class-conditional generator: 1 at its place, −1 at the others'. */
  vector: Float32Array;
}

/** How far to go in one direction, in standard deviations of latents along it. */
export interface Move {
  vector: Float32Array;
  strength: number;
}

/**
 * A latent moved: z + Σ strength · σ · vector, kept inside the range that the generator was trained
 * on. σ, the standard deviation of a latent along any vector of length 1, is that of a component:
 * 1/√3 for uniform(-1, 1).
 */
export function moveLatent(
  latent: Float32Array,
  moves: readonly Move[],
  space: LatentSpace,
): Float32Array {
  const { deviation } = moments(space);
  const moved = latent.map((value, i) => {
    const shift = moves.reduce((sum, { vector, strength }) => sum + strength * vector[i]!, 0);
    return value + deviation * shift;
  });
  return withinBounds(moved, space);
}
