/**
 * Where the pictures of the page are, all of the generator and the class that are chosen.
 *
 * @module
 */
import type { WalkPath } from '@killme/model';
import { joinSeeds } from '../client.ts';
import { chosenClass } from './classes.ts';
import { server } from './server.ts';

/** The character of a name. */
export const characterOf = (seed: string): URL =>
  server.img.$url({ query: { seed, ...chosenClass() } });

/** That character, moved: each move is `direction:strength`. */
export const movedCharacterOf = (seed: string, moves: readonly string[]): URL =>
  moves.length === 0
    ? characterOf(seed)
    : server.img.$url({ query: { seed, move: joinSeeds(moves), ...chosenClass() } });

/** The sum of characters. */
export const sumOf = (plus: readonly string[], minus: readonly string[]): URL =>
  server.mix.$url({
    query: { plus: joinSeeds(plus), minus: joinSeeds(minus), ...chosenClass() },
  });

/** A walk between two names, through latents or as a cross-fade. */
export const walkOf = (walk: {
  from: string;
  to: string;
  steps: string;
  path?: WalkPath;
  space?: 'pixel';
}): URL => server.morph.$url({ query: { ...walk, ...chosenClass() } });

/** What the picture of a name shows, for those who cannot see it. */
export const characterInWords = (name: string): string => {
  const { class: chosen } = chosenClass();
  return `The character of “${name}”${chosen === undefined ? '' : `, ${chosen}`}`;
};
