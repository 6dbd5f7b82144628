/**
 * Places in latent space as a query names them: a seed, or a latent itself, its class, and moves
 * from there.
 *
 * @module
 */
import {
  decodeLatent,
  type GeneratorManifest,
  type LatentSpace,
  latentCharacters,
  type Move,
  placeClasses,
  readDirections,
  seedToLatent,
  UserError,
} from '@killme/model';
import { badParameters, shorten } from '../http/problem.ts';
import type { Gallery } from './gallery.ts';

/**
 * A latent from a query.
 * @param parameter that it came in.
 * @throws ProblemError 400 with what is wrong with it and what this generator takes.
 */
export function readLatent(parameter: string, text: string, space: LatentSpace): Float32Array {
  try {
    return decodeLatent(text, space);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const allowed =
      `${latentCharacters(space.size)} characters of base64url, the latent of ${space.size} ` +
      `float16 numbers from -1 to 1; yours ${error.message}`;
    throw badParameters([{ parameter, allowed, received: shorten(text) }]);
  }
}

/**
 * Finds a class of a generator, whichever of Unicode's forms its file has it in.
 * @param name in NFC.
 * @returns its index.
 * @throws ProblemError 400 with the classes that there are.
 */
export function readClass(name: string, { classes, latent }: GeneratorManifest): number {
  const names = latent.classes ? classes : [];
  const label = names.findIndex((known) => known.normalize('NFC') === name);
  if (label >= 0) return label;
  const allowed =
    names.length === 0
      ? 'omitted: this generator is not class-conditional'
      : `one of: ${names.join(', ')}`;
  throw badParameters([{ parameter: 'class', allowed, received: shorten(name) }]);
}

/** Latents of a request, of the class that it names. */
export interface SeedLatents {
  /** The latent of a seed; of the seed's own class if none is named. */
  latentOf(seed: string): Float32Array;
  /** Gives a latent the class that is named, in place; does nothing if none is. */
  toClass(latent: Float32Array): Float32Array;
}

/**
 * @param named `class=` of the request
 * @throws ProblemError 400 with the classes that there are.
 */
export function seedLatents(
  named: string | undefined,
  { manifest, gallery }: { manifest: GeneratorManifest; gallery: Gallery | undefined },
): SeedLatents {
  const space = manifest.latent;
  const label = named === undefined ? undefined : readClass(named, manifest);
  const toClass = (latent: Float32Array) =>
    label === undefined ? latent : placeClasses(latent, [label], space);
  return {
    toClass,
    latentOf: (seed) => toClass(seedToLatent(gallery ? gallery.seedOf(seed) : seed, space)),
  };
}

/** A latent with the class of another one, where latents say their class. */
export const withClassOf = (
  other: Float32Array,
  latent: Float32Array,
  { size, classes = [] }: LatentSpace,
): Float32Array => latent.map((value, i) => (i < size - classes.length ? value : other[i]!));

/** A move as a query has it. */
export interface NamedMove {
  direction: string;
  strength: number;
}

/**
 * Finds the directions of moves in a generator.
 * @throws ProblemError 400 with the names that there are.
 */
export function readMoves(moves: readonly NamedMove[], manifest: GeneratorManifest): Move[] {
  if (moves.length === 0) return [];
  const directions = readDirections(manifest);
  return moves.map((move) => {
    const found = directions.find(({ name }) => name === move.direction);
    if (found) return { vector: found.vector, strength: move.strength };
    const names = directions.map(({ name }) => name).join(', ');
    const allowed =
      names === '' ? 'omitted: this generator has no directions' : `along one of: ${names}`;
    throw badParameters([{ parameter: 'move', allowed, received: shorten(writeMove(move)) }]);
  });
}

/** The one way to write moves: those that go nowhere are omitted. */
export function writeMoves(moves: readonly NamedMove[] = []): string[] | undefined {
  const going = moves.filter(({ strength }) => strength !== 0);
  return going.length === 0 ? undefined : going.map(writeMove);
}

/** The text of a move in a list: `direction-1:-1.5`. */
const writeMove = ({ direction, strength }: NamedMove) => `${direction}:${strength}`;
