/**
 * Laplacian pyramids (Burt & Adelson 1983): an image by bands of detail, as in the code of Karras et
 * al. 2018: the filter is [1 4 6 4 1] / 16 each way, borders are mirrored about their last pixel.
 *
 * @module
 */

/** One channel-last image or band: `[side, side, 3]`. */
export interface Band {
  side: number;
  values: Float32Array;
}

const CHANNELS = 3;
const FILTER = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16];
const REACH = 2;

/**
 * @param image `side` divisible by 2 for each level but the last.
 * @returns `levels` bands, each half as wide as the one before; the last is what is left of the image
 *   when all finer detail is taken away.
 */
export function laplacianPyramid(image: Band, levels: number): Band[] {
  const bands: Band[] = [];
  let rest = image;
  for (let level = 1; level < levels; level++) {
    const smaller = shrink(rest);
    const guess = grow(smaller);
    const values = rest.values.map((value, i) => value - guess.values[i]!);
    bands.push({ side: rest.side, values });
    rest = smaller;
  }
  return [...bands, rest];
}

/** Smooths, then takes every other pixel. */
function shrink(image: Band): Band {
  const smooth = smoothBothWays(image, 1);
  const side = image.side / 2;
  const values = new Float32Array(side * side * CHANNELS);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (2 * y * image.side + 2 * x) * CHANNELS;
      const to = (y * side + x) * CHANNELS;
      for (let c = 0; c < CHANNELS; c++) values[to + c] = smooth[from + c]!;
    }
  }
  return { side, values };
}

/** Puts zeros between the pixels, then smooths. */
function grow(image: Band): Band {
  const side = image.side * 2;
  const values = new Float32Array(side * side * CHANNELS);
  for (let y = 0; y < image.side; y++) {
    for (let x = 0; x < image.side; x++) {
      const from = (y * image.side + x) * CHANNELS;
      const to = (2 * y * side + 2 * x) * CHANNELS;
      for (let c = 0; c < CHANNELS; c++) values[to + c] = image.values[from + c]!;
    }
  }
  return { side, values: smoothBothWays({ side, values }, 2) };
}

/** @param gain of the filter each way; 2 makes up for zeros between pixels. */
function smoothBothWays({ side, values }: Band, gain: number): Float32Array {
  const row = side * CHANNELS;
  const across = new Float32Array(values.length);
  const both = new Float32Array(values.length);
  for (let i = 0; i < side; i++) {
    const places = neighbours(i, side);
    for (let line = 0; line < side; line++) {
      for (let c = 0; c < CHANNELS; c++) {
        let sum = 0;
        for (let t = 0; t < FILTER.length; t++) {
          sum += FILTER[t]! * values[line * row + places[t]! * CHANNELS + c]!;
        }
        across[line * row + i * CHANNELS + c] = gain * sum;
      }
    }
  }
  for (let i = 0; i < side; i++) {
    const places = neighbours(i, side);
    for (let x = 0; x < row; x++) {
      let sum = 0;
      for (let t = 0; t < FILTER.length; t++) sum += FILTER[t]! * across[places[t]! * row + x]!;
      both[i * row + x] = gain * sum;
    }
  }
  return both;
}

/** The five places about `i` that the filter reads. */
function neighbours(i: number, side: number): number[] {
  return FILTER.map((_, t) => {
    const place = Math.abs(i + t - REACH);
    return place < side ? place : 2 * (side - 1) - place;
  });
}
