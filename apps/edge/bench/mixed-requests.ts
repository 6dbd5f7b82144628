/**
 * What is asked of a server that is measured.
 *
 * @module
 */

/**
 * Requests as a site with avatars and a curious visitor sends them: of ten, five new characters, one
 * of them as WebP and one resized, two that were asked for before, a strip or an animation, a sheet,
 * and a sum. Never the same twice but where that is meant.
 * @param count how many
 */
export function mixedRequests(count: number): string[] {
  return Array.from({ length: count }, (_, i) => mixedRequest(i));
}

const MORPH_FORMATS = ['png', 'apng', 'gif', 'json'];

/** The request of that number. */
export function mixedRequest(i: number): string {
  const round = Math.floor(i / 10);
  switch (i % 10) {
    case 3:
      return `/img?seed=avatar-${i}&format=webp`;
    case 4:
      return `/img?seed=avatar-${i}&size=256`;
    case 5:
    case 6:
      return `/img?seed=avatar-${i - (i % 10)}`;
    case 7: {
      const format = MORPH_FORMATS[round % MORPH_FORMATS.length];
      return `/morph?from=avatar-${i}&to=avatar-${i + 1}&steps=3&format=${format}`;
    }
    case 8:
      return `/grid?seed=avatar-${i}&n=2`;
    case 9:
      return `/mix?plus=avatar-${i},avatar-${i + 1}&minus=avatar-${i + 2}`;
    default:
      return `/img?seed=avatar-${i}`;
  }
}

/** The largest answers that each format and route allows (see PIXELS in parameters.ts). */
export const LARGEST_REQUESTS = [
  '/img?seed=alice&size=512',
  '/img?seed=alice&size=512&format=webp',
  '/og?seed=alice',
  '/og?seed=alice&format=webp',
  '/grid?seed=alice&n=8&size=221',
  '/morph?from=alice&to=bob&steps=64&size=221',
  '/morph?from=alice&to=bob&steps=64&size=221&format=apng',
  '/morph?from=alice&to=bob&steps=64&size=221&format=gif',
  '/morph?from=alice&to=bob&steps=64&size=221&format=json',
];
