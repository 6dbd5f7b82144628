/**
 * Names that nobody had to think of.
 *
 * @module
 */

const STARTS = ['k', 's', 't', 'n', 'h', 'm', 'y', 'r', 'w', 'sh', 'ch', 'b', 'd', 'l', 'j', 'z'];
const VOWELS = ['a', 'i', 'u', 'e', 'o', 'a', 'i', 'o'];

/** The name of a number: the same one each time, so that a shared wall is the same wall. */
export function nameOf(number: number): string {
  // Multiplying by an odd constant only reorders the numbers, so that neighbours look different.
  let rest = Math.imul(number + 1, 0x9e3779b1) >>> 0;
  let name = '';
  for (let i = 0; i < 3; i++) {
    name += STARTS[rest % 16];
    name += VOWELS[(rest >>> 4) % 8];
    rest >>>= 7;
  }
  return name;
}

/** A name by chance. */
export const anyName = (): string => nameOf(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
