import { describe, expect, it } from 'vitest';
import { backgroundPlaces, cloudShare, compareClouds } from './clouds.ts';
import type { ImageSet } from './image-set.ts';
import { reference, referenceImages, referencePatches } from './testing/reference.ts';

const SIDE = 32;

/** Plain images of 32×32, each of a grey of its own, with rectangles painted on. */
function plain(
  count: number,
  ...painted: [image: number, row: number, column: number, add: number][]
) {
  const images = Uint8Array.from({ length: count * SIDE * SIDE * 3 }, (_, i) => {
    const image = Math.floor(i / (SIDE * SIDE * 3));
    const pixel = Math.floor(i / 3) % (SIDE * SIDE);
    const [row, column] = [Math.floor(pixel / SIDE) >> 1, (pixel % SIDE) >> 1];
    const add = painted
      .filter((one) => one[0] === image && one[1] === row && one[2] === column)
      .reduce((sum, one) => sum + one[3], 0);
    return 60 + 2 * image + add;
  });
  return { count, imageSize: SIDE, images } satisfies ImageSet;
}

describe('clouds', () => {
  it('are patches of the frame more than 12 levels from the background', () => {
    const places = backgroundPlaces(plain(3));
    expect(places).toHaveLength(60);
    expect(cloudShare(plain(4), places)).toBe(0);
    // Image 1 by 12 levels, image 2 by 13, image 3 inside the frame.
    const made = plain(4, [1, 0, 5, 12], [2, 15, 0, 13], [3, 7, 7, 100]);
    expect(cloudShare(made, places)).toBe(1 / 4);
  });

  it('are not where real images have shoulders', () => {
    const shoulders = [0, 1, 2, 3].map(
      (image) => [image, 15, 8, 90] as [number, number, number, number],
    );
    const places = backgroundPlaces(plain(4, ...shoulders));
    expect(places).toHaveLength(59);
    expect(cloudShare(plain(4, ...shoulders), places)).toBe(0);
  });

  it('are not known where real images have no plain background', () => {
    const halves = { reference: Uint32Array.of(0, 1, 2), heldOut: Uint32Array.of(3, 4, 5) };
    expect(compareClouds(plain(6), plain(6), halves)).toEqual({ model: 0, floor: 0 });
    expect(compareClouds(referenceImages('a', 6), plain(6), halves)).toBeUndefined();
  });

  it('are those of the reference', () => {
    const [real, made] = [referencePatches('real'), referencePatches('made')];
    const places = backgroundPlaces(real);
    expect(places).toEqual(reference.clouds.places);
    expect(cloudShare(made, places)).toBeCloseTo(reference.clouds.share, 9);
  });
});
