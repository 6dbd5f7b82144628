/**
 * Clouds: patches of other colours in a background that real images have plain.
 *
 * @module
 */
import { median } from 'simple-statistics';
import { type ImageSet, type RealHalves, takeImages } from './image-set.ts';
import type { WithFloor } from './measure.ts';

/** Patches along each side of an image. */
const PATCHES_A_SIDE = 16;
/** Levels of 0 … 255 by which the mean colour of a patch may differ from that of the background. */
const MOST_DIFFERENCE = 12;
/** A patch of the frame is background where it is as the others in this share of the real images. */
const BACKGROUND_SHARE = 0.98;
/** Fewer patches say nothing of a background. */
const FEWEST_PATCHES = 4;

/** Indices of patches of the frame, which are numbered row by row. */
type Places = readonly number[];

/**
 * The share of images in which a patch of the frame has another colour than the background: by more than
 * 12 levels in a channel. The frame is the outermost ring of 16×16 patches; only those places count that
 * are background in nearly all real images, so that shoulders that touch the border are no clouds.
 *
 * @returns undefined where real images have no plain background: fewer than 4 such places.
 */
export function compareClouds(
  real: ImageSet,
  made: ImageSet,
  { reference, heldOut }: RealHalves,
): WithFloor<number> | undefined {
  const background = backgroundPlaces(takeImages(real, reference));
  if (background.length < FEWEST_PATCHES) return undefined;
  return {
    model: cloudShare(made, background),
    floor: cloudShare(takeImages(real, heldOut), background),
  };
}

/** Places of the frame at which nearly all images have the colour that most of their frame has. */
export function backgroundPlaces(real: ImageSet): Places {
  const agreeing = new Float64Array(framePatches().length);
  for (let i = 0; i < real.count; i++) {
    const colours = frameColours(real, i);
    const ground = medianColour(colours);
    for (const [place, colour] of colours.entries()) {
      if (difference(colour, ground) <= MOST_DIFFERENCE) agreeing[place]! += 1 / real.count;
    }
  }
  return [...agreeing.keys()].filter((place) => agreeing[place]! >= BACKGROUND_SHARE - 1e-9);
}

/** The share of images with another colour at one of these places. */
export function cloudShare(set: ImageSet, background: Places): number {
  let clouded = 0;
  for (let i = 0; i < set.count; i++) {
    const all = frameColours(set, i);
    const colours = background.map((place) => all[place]!);
    const ground = medianColour(colours);
    if (colours.some((colour) => difference(colour, ground) > MOST_DIFFERENCE)) clouded++;
  }
  return clouded / set.count;
}

type Colour = readonly [number, number, number];

/** Row and column of each patch of the frame. */
function framePatches(): [number, number][] {
  const last = PATCHES_A_SIDE - 1;
  return Array.from({ length: PATCHES_A_SIDE ** 2 }, (_, i): [number, number] => [
    Math.floor(i / PATCHES_A_SIDE),
    i % PATCHES_A_SIDE,
  ]).filter(([y, x]) => y === 0 || x === 0 || y === last || x === last);
}

/** Mean colour of each patch of an image's frame. */
function frameColours({ imageSize, images }: ImageSet, index: number): Colour[] {
  const edge = (patch: number) => Math.round((patch * imageSize) / PATCHES_A_SIDE);
  const start = index * imageSize * imageSize * 3;
  return framePatches().map(([row, column]): Colour => {
    const sums: [number, number, number] = [0, 0, 0];
    for (let y = edge(row); y < edge(row + 1); y++) {
      for (let x = edge(column); x < edge(column + 1); x++) {
        const pixel = start + (y * imageSize + x) * 3;
        for (const channel of [0, 1, 2] as const) sums[channel] += images[pixel + channel]!;
      }
    }
    const area = (edge(row + 1) - edge(row)) * (edge(column + 1) - edge(column));
    return [sums[0] / area, sums[1] / area, sums[2] / area];
  });
}

function medianColour(colours: readonly Colour[]): Colour {
  const of = (channel: 0 | 1 | 2) => median(colours.map((colour) => colour[channel]));
  return [of(0), of(1), of(2)];
}

/** The largest of the three channels. */
const difference = (a: Colour, b: Colour) =>
  Math.max(Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1]), Math.abs(a[2] - b[2]));
