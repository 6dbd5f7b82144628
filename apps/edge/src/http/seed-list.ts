/**
 * Several seeds in one text: `alice,bob`. A comma inside a seed is written `\,`, and a backslash
 * before a comma or a backslash `\\`; any other backslash is itself.
 *
 * @module
 */

/** The seeds of a list. */
export function splitSeeds(list: string): string[] {
  const seeds = [''];
  for (const [token] of list.matchAll(/\\[\\,]|./gsu)) {
    if (token === ',') seeds.push('');
    else seeds[seeds.length - 1] += token.length > 1 && token[0] === '\\' ? token[1]! : token;
  }
  return seeds;
}

/** Writes the list that `splitSeeds` reads. */
export function joinSeeds(seeds: readonly string[]): string {
  return seeds.map((seed) => seed.replace(/[\\,]/g, '\\$&')).join(',');
}
