import { type Picture, tile } from '@killme/model';
import { median } from 'simple-statistics';
import { type Features, squaredDistances } from './features.ts';
import { type ImageSet, pictureAt } from './image-set.ts';

const SHOWN_PAIRS = 32;
const PAIRS_IN_A_ROW = 4;

/** How near samples come to the training images, in feature space. */
export interface NearestTrainingImages {
  /** For each sample, the place of the training image nearest to it, and its distance. */
  places: Uint32Array;
  distances: Float64Array;
  /** The median of `distances`. */
  median: number;
  /** The median distance of a training image to the nearest other one. */
  trainingMedian: number;
  /** `median / trainingMedian`: well below 1 where samples are copies. */
  ratio: number;
}

export function nearestTrainingImages(
  training: Features,
  samples: Features,
): NearestTrainingImages {
  const { places, distances } = nearestRows(samples, training, { other: false });
  const among = nearestRows(training, training, { other: true });
  const [middle, trainingMedian] = [median([...distances]), median([...among.distances])];
  return { places, distances, median: middle, trainingMedian, ratio: middle / trainingMedian };
}

/** For each row of `from` the nearest of `to`; with `other`, never the row itself. */
function nearestRows(from: Features, to: Features, { other }: { other: boolean }) {
  const all = squaredDistances(from, to);
  const places = new Uint32Array(from.count);
  const distances = new Float64Array(from.count).fill(Number.POSITIVE_INFINITY);
  for (let i = 0; i < from.count; i++) {
    for (let j = 0; j < to.count; j++) {
      const distance = all[i * to.count + j]!;
      if (distance >= distances[i]! || (other && i === j)) continue;
      distances[i] = distance;
      places[i] = j;
    }
  }
  return { places, distances: distances.map(Math.sqrt) };
}

/**
 * Pairs of a sample and, right of it, the training image nearest to it: the nearest pair of all first,
 * the others at even ranks, the farthest last.
 */
export function nearestSheet(
  training: ImageSet,
  samples: ImageSet,
  { places, distances }: NearestTrainingImages,
): Picture {
  const ranked = Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
  const shown = Math.min(SHOWN_PAIRS, ranked.length);
  const pairs = Array.from({ length: shown }, (_, i) => {
    const sample = ranked[Math.round((i * (ranked.length - 1)) / Math.max(1, shown - 1))]!;
    return [pictureAt(samples, sample), pictureAt(training, places[sample]!)];
  });
  return tile(pairs.flat(), 2 * PAIRS_IN_A_ROW);
}
