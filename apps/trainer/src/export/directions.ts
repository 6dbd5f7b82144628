/**
 * `npm run directions`, and a part of every export: named directions in which a generator's pictures
 * change.
 *
 * @module
 */
import { join } from 'node:path';
import { readNamedFile, writeFileWhole } from '@killme/command-line';
import {
  type Direction,
  decodeWeight,
  GENERATOR_MANIFEST,
  type HostWeights,
  type LatentSpace,
  loadGeneratorFile,
  MOST_DIRECTIONS,
  type Network,
  placeClasses,
  UserError,
  type ValueRange,
  withDirections,
} from '@killme/model';
import { firstDense, inferenceGraph } from '@killme/model/inference';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** Main directions that are kept: of the stand-in characters the later ones change next to nothing. */
const KEPT = 6;

/**
 * The main directions of a generator, strongest first, by closed-form factorization (SeFa: Shen & Zhou
 * 2021, arXiv:2007.06600): the unit vectors n that the first layer y = A z + b moves most, ‖A n‖, are
 * the eigenvectors of AᵀA. A normalization directly after the layer counts as part of it. Where a mapping network
 * comes before, the layer is the one after it: a latent moves as its mapped one does, or nearly so.
 *
 * An eigenvector has no sign of its own: the largest of its components is made positive. Components
 * of the class stay as they are: towards classes there are directions of their own.
 */
export function factorDirections(
  network: Network,
  weights: HostWeights,
  { size: latentSize, classes = [] }: LatentSpace,
): Direction[] {
  const { kernel, scale } = firstLayer(network, weights);
  const values = decodeWeight(kernel); // [latent, units]: the transpose of A
  const size = latentSize - classes.length;
  const [, units] = kernel.shape as [number, number];
  const rows = Array.from({ length: size }, (_, i) =>
    values
      .slice(i * units, (i + 1) * units)
      .map((value, unit) => (scale ? value * scale[unit]! : value)),
  );
  const product = Matrix.zeros(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const dot = dotProduct(rows[i]!, rows[j]!);
      product.set(i, j, dot);
      product.set(j, i, dot);
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(product, {
    assumeSymmetric: true,
  });
  const order = realEigenvalues.map((_, i) => i);
  order.sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  return order.slice(0, KEPT).map((column, i) => ({
    name: `direction-${i + 1}`,
    kind: 'factor',
    vector: unitVector([...withSign(eigenvectorMatrix.getColumn(column)), ...classes.map(() => 0)]),
  }));
}

/** @throws UserError when the generator begins otherwise. */
function firstLayer(network: Network, weights: HostWeights) {
  const dense = firstDense(inferenceGraph(network, weights));
  if (dense) return dense;
  throw new UserError('main directions are of a first Dense layer, and this generator has none');
}

/** In four sums: each addition would wait for the one before, and the article has 660 million. */
function dotProduct(a: Float32Array, b: Float32Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = a.length - (a.length % 4);
  for (let i = 0; i < whole; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + s2 + s3;
}

function withSign(vector: readonly number[]): readonly number[] {
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best));
  return largest < 0 ? vector.map((value) => -value) : vector;
}

const unitVector = (vector: readonly number[]): Float32Array => {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (value) => value / length);
};

/**
 * Towards each class of a class-conditional generator: 1 at the place of the class in the latent, −1 at those
 * of the others, so that a strength of 2√3 (3.47) makes any latent one of that class. Not of length 1,
 * as a move of that length is over before it is there.
 * @param names of the classes, in the order of the latents.
 */
export function conditionDirections(names: readonly string[], latent: LatentSpace): Direction[] {
  const classes = latent.classes ? names : [];
  return classes.map((name, label) => ({
    name,
    kind: 'class',
    vector: placeClasses(new Float32Array(latent.size), [label], latent),
  }));
}

/** The directions that need no samples: the main ones, and those of a class-conditional generator. */
export function ownDirections(
  { network, weights, latent }: LoadedGenerator,
  classes: readonly string[],
): Direction[] {
  return withinRoom([
    ...factorDirections(network, weights, latent),
    ...conditionDirections(classes, latent),
  ]);
}

/** The first directions, as many as a generator file has room for; of two with one name the first. */
function withinRoom(directions: readonly Direction[]): Direction[] {
  const isFirst = ({ name }: Direction, i: number) =>
    directions.findIndex((other) => other.name === name) === i;
  return directions.filter(isFirst).slice(0, MOST_DIRECTIONS);
}

/** A picture's latent, and the class that it shows (an index). */
export interface LabelledLatents {
  latents: readonly Float32Array[];
  labels: ArrayLike<number>;
  classes: readonly string[];
}

/** Samples that a class must have, to have a mean worth following. */
const LEAST_SAMPLES = 20;

/**
 * Towards each class: from the mean latent of all samples to that of those which show the class, made
 * a unit vector. Going from one class to another is a move along one and back along the other. Classes
 * with fewer than LEAST_SAMPLES samples are omitted.
 */
export function classDirections({ latents, labels, classes }: LabelledLatents): Direction[] {
  const overall = meanOf(latents);
  return classes.flatMap((name, label) => {
    const members = latents.filter((_, i) => labels[i] === label);
    if (members.length < LEAST_SAMPLES || members.length === latents.length) return [];
    const mean = meanOf(members);
    return [
      { name, kind: 'class', vector: unitVector(mean.map((value, i) => value - overall[i]!)) },
    ];
  });
}

function meanOf(latents: readonly Float32Array[]): number[] {
  return Array.from(latents[0]!, (_, i) => {
    const sum = latents.reduce((total, latent) => total + latent[i]!, 0);
    return sum / latents.length;
  });
}

/**
 * Finds the directions of a generator file and writes its manifest with them; its weights stay.
 * @param labelLatents gives samples with their classes, where class directions are asked for; not
 *   called for a class-conditional generator, whose directions are known.
 * @throws UserError when it is no generator file.
 */
export async function writeDirections(
  folder: string,
  labelLatents?: (generator: LoadedGenerator & { range: ValueRange }) => Promise<LabelledLatents>,
): Promise<Direction[]> {
  const { network, weights, manifest } = await loadGeneratorFile((name) =>
    readNamedFile(join(folder, name)),
  );
  const generator = { network, weights, latent: manifest.latent, range: manifest.image.range };
  const seen =
    labelLatents && !manifest.latent.classes ? classDirections(await labelLatents(generator)) : [];
  const directions = withinRoom([...ownDirections(generator, manifest.classes), ...seen]);
  await writeFileWhole(
    join(folder, GENERATOR_MANIFEST),
    await withDirections(manifest, directions),
  );
  return directions;
}

interface LoadedGenerator {
  network: Network;
  weights: HostWeights;
  latent: LatentSpace;
}
