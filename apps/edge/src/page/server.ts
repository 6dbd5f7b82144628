/**
 * The image server that this page comes from.
 *
 * @module
 */
import { createClient, joinSeeds } from '../client.ts';

/** Its address: a proxy may serve it under any path. */
export const BASE = new URL('.', document.baseURI).href;

export const server = createClient(BASE);

/** Where the character of a name is. */
export const characterOf = (seed: string): URL => server.img.$url({ query: { seed } });

/** Where the sum of characters is. */
export const sumOf = (plus: readonly string[], minus: readonly string[]): URL =>
  server.mix.$url({ query: { plus: joinSeeds(plus), minus: joinSeeds(minus) } });
