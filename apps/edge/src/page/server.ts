/**
 * The image server that this page comes from.
 *
 * @module
 */
import { createClient, joinSeeds } from '../client.ts';

/** Its address: a proxy may serve it under any path. */
export const BASE = new URL('.', document.baseURI).href;

export const server = createClient(BASE);

/**
 * What the server knows of its generator, asked for once.
 * @throws Error when it does not answer.
 */
export const model = server.model.$get().then((response) => {
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
});

/** Where the character of a name is. */
export const characterOf = (seed: string): URL => server.img.$url({ query: { seed } });

/** Where that character is, moved: each move is `direction:strength`. */
export const movedCharacterOf = (seed: string, moves: readonly string[]): URL =>
  moves.length === 0
    ? characterOf(seed)
    : server.img.$url({ query: { seed, move: joinSeeds(moves) } });

/** Where the sum of characters is. */
export const sumOf = (plus: readonly string[], minus: readonly string[]): URL =>
  server.mix.$url({ query: { plus: joinSeeds(plus), minus: joinSeeds(minus) } });
