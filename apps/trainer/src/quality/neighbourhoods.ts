/**
 * Fidelity and diversity by neighbourhoods in a feature space: a ball about each point, as wide as to
 * its k-th nearest neighbour in its own set.
 *
 * @module
 */
import { type Features, squaredDistances } from './features.ts';

/** Naeem's choice for small sets. */
const NEAREST = 5;
/** Below it a neighbourhood would be the whole set. */
export const FEWEST_IMAGES = 2 * (NEAREST + 1);

/** Precision and recall of Kynkäänniemi et al. 2019 (arXiv:1904.06991), density and coverage of Naeem et al. 2020 (arXiv:2002.09797). */
export interface Neighbourhoods {
  /** Share of fakes that lie in the ball of a real. */
  precision: number;
  /** Share of reals that lie in the ball of a fake. */
  recall: number;
  /** Balls of reals that a fake lies in, over k; 1 where fakes are spread as reals, and above it where they crowd. */
  density: number;
  /** Share of reals whose ball holds a fake. */
  coverage: number;
}

/** @param k which neighbour a ball reaches to; both sets are larger. */
export function neighbourhoods(real: Features, fake: Features, k = NEAREST): Neighbourhoods {
  const realRadii = squaredRadii(real, k);
  const fakeRadii = squaredRadii(fake, k);
  const distances = squaredDistances(real, fake);
  let balls = 0;
  let covered = 0;
  let recalled = 0;
  const precise = new Uint8Array(fake.count);
  for (let i = 0; i < real.count; i++) {
    let holdsFake = false;
    let isHeld = false;
    for (let j = 0; j < fake.count; j++) {
      const distance = distances[i * fake.count + j]!;
      if (distance < realRadii[i]!) {
        balls++;
        holdsFake = true;
        precise[j] = 1;
      }
      if (distance < fakeRadii[j]!) isHeld = true;
    }
    if (holdsFake) covered++;
    if (isHeld) recalled++;
  }
  return {
    precision: precise.reduce((sum, hit) => sum + hit, 0) / fake.count,
    recall: recalled / real.count,
    density: balls / (k * fake.count),
    coverage: covered / real.count,
  };
}

/** The squared distance of each row to its k-th nearest other row. */
function squaredRadii(features: Features, k: number): Float64Array {
  const { count } = features;
  const distances = squaredDistances(features, features);
  return Float64Array.from({ length: count }, (_, i) => {
    const row = distances.slice(i * count, (i + 1) * count).sort();
    return row[k]!; // row[0] is the distance to itself
  });
}
