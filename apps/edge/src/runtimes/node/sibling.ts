import { extname } from 'node:path';

/**
 * A program that stands beside this module: a `.ts` in the repository, a `.js` in a bundle.
 * @param name without its extension
 */
export const sibling = (name: string): URL =>
  new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
