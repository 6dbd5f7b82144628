/**
 * Walks between seeds: whether the image in the middle is one, and how evenly images change on the way.
 *
 * @module
 */
import { defaultPath, type LatentSpace, seedToLatent, walk } from '@killme/model';
import { mean } from 'simple-statistics';
import { type Features, rows } from './features.ts';
import type { ImageSet } from './image-set.ts';
import { renderSet, type TrainedGenerator } from './made-images.ts';
import { randomFeatures } from './random-network.ts';

/** Of which classes the ends of a walk are; generators without classes have `any` alone. */
export const WALK_KINDS = ['within', 'between', 'any'] as const;
export type WalkKind = (typeof WALK_KINDS)[number];

type Generator = Omit<TrainedGenerator, 'description'>;
type Ends = [from: Float32Array, to: Float32Array];

/** Steps of a walk whose evenness is measured. */
const STEPS = 16;

/** The kinds of walks that a generator has. */
export const walkKinds = ({ classes }: LatentSpace): WalkKind[] =>
  classes ? ['within', 'between'] : ['any'];

/**
 * Random pairs of latents. Walk i begins at seed i, and ends at the first of the seeds `i/0`, `i/1`, …
 * that is of a class of the kind.
 */
export function walkEnds(space: LatentSpace, kind: WalkKind, count: number): Ends[] {
  return Array.from({ length: count }, (_, i): Ends => {
    const from = seedToLatent(String(i), space);
    for (let attempt = 0; ; attempt++) {
      const to = seedToLatent(`${i}/${attempt}`, space);
      const same = classOf(from, space) === classOf(to, space);
      if (kind === 'any' || same === (kind === 'within')) return [from, to];
    }
  });
}

const classOf = (latent: Float32Array, { size, classes = [] }: LatentSpace) =>
  latent.subarray(size - classes.length).indexOf(1);

/** The latents of a walk, on the path that the edge takes when none is asked for. */
export const walkLatents = ([from, to]: Ends, space: LatentSpace, steps: number) =>
  walk({ from, to, steps, path: defaultPath(space) });

/** The images half way of as many walks. */
export function renderMiddles(
  generator: Generator,
  kind: WalkKind,
  count: number,
): Promise<ImageSet> {
  const { latent } = generator;
  const middles = walkEnds(latent, kind, count).map((ends) => walkLatents(ends, latent, 3)[1]!);
  return renderSet(generator, middles);
}

/** Of walks in 16 steps, in a space of features; the mean over walks. */
export interface WalkEvenness {
  /**
   * The sum of all steps over the distance of the ends: 1 is the straight way. What StyleGAN calls
   * perceptual path length (Karras et al. 2019, arXiv:1812.04948) is of small steps, squared.
   */
  pathLength: number;
  /** The largest step's share of the sum of all: 1/16 where a walk changes evenly. */
  largestStep: number;
}

/** @param standardize of the random features. */
export async function measureEvenness(
  generator: Generator,
  kind: WalkKind,
  { count, standardize }: { count: number; standardize: (features: Features) => Features },
): Promise<WalkEvenness> {
  const { latent } = generator;
  const latents = walkEnds(latent, kind, count).flatMap((ends) =>
    walkLatents(ends, latent, STEPS + 1),
  );
  const features = standardize(await randomFeatures(await renderSet(generator, latents)));
  const walks = Array.from({ length: count }, (_, i) =>
    evennessOf(rows(features, i * (STEPS + 1), STEPS + 1)),
  );
  return {
    pathLength: mean(walks.map(({ pathLength }) => pathLength)),
    largestStep: mean(walks.map(({ largestStep }) => largestStep)),
  };
}

/** Of one walk: the features of its images in order. */
export function evennessOf(points: Features): WalkEvenness {
  const steps = Array.from({ length: points.count - 1 }, (_, i) => distance(points, i, i + 1));
  const length = steps.reduce((sum, step) => sum + step, 0);
  const straight = distance(points, 0, points.count - 1);
  if (straight === 0) return { pathLength: 1, largestStep: 1 / steps.length };
  return { pathLength: length / straight, largestStep: Math.max(...steps) / length };
}

function distance({ size, values }: Features, a: number, b: number): number {
  let sum = 0;
  for (let f = 0; f < size; f++) sum += (values[a * size + f]! - values[b * size + f]!) ** 2;
  return Math.sqrt(sum);
}
