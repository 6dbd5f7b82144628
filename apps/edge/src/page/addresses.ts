/**
 * Where the pictures of the page are, all of the generator and the class that are chosen.
 *
 * @module
 */
import type { MorphOptions, Move } from '../client.ts';
import { chosenClass } from './classes.ts';
import { server } from './server.ts';

/** The character of a name. */
export const characterOf = (seed: string): URL => new URL(server.img(seed, chosenClass()));

/** That character, moved. */
export const movedCharacterOf = (seed: string, move: readonly Move[]): URL =>
  move.length === 0 ? characterOf(seed) : new URL(server.img(seed, { move, ...chosenClass() }));

/** The sum of characters. */
export const sumOf = (plus: readonly string[], minus: readonly string[]): URL =>
  new URL(server.mix({ plus, minus }, chosenClass()));

/** A walk between two names, through latents or as a cross-fade. */
export const walkOf = (
  from: string,
  to: string,
  options: Pick<MorphOptions, 'steps' | 'path' | 'space'>,
): URL => new URL(server.morph(from, to, { ...options, ...chosenClass() }));

/** What the picture of a name shows, for those who cannot see it. */
export const characterInWords = (name: string): string => {
  const { class: chosen } = chosenClass();
  return `The character of “${name}”${chosen === undefined ? '' : `, ${chosen}`}`;
};
