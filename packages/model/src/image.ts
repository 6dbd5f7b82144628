/** Grey, RGB, or RGB and alpha (not multiplied into the colours). */
export type Channels = 1 | 3 | 4;

/** What the lowest and the highest level of a picture are in a generator's output. */
export type ValueRange = readonly [low: number, high: number];

/** The article's `(x - 127.5) / 127.5`: what generators that end with tanh make. */
export const TANH_RANGE: ValueRange = [-1, 1];

/** Pixels of one picture, rows from the top, 0 … 255: `[height, width, channels]`. */
export interface Picture {
  width: number;
  height: number;
  channels: Channels;
  data: Uint8Array;
}

/** How the output of a generator is seen, as its file says. */
export interface ImageFormat {
  width: number;
  height: number;
  channels: Channels;
  range: ValueRange;
}

/**
 * One image of a generator as a picture.
 * @param values `[height, width, channels]`, flat
 * @throws Error when a value is not a number.
 */
export const toPicture = (
  values: Float32Array,
  { width, height, channels, range }: ImageFormat,
): Picture => ({ width, height, channels, data: toPixels(values, range) });

/**
 * The one place where a generator's output becomes pixels: `range` to 0 … 255, rounded to the
 * nearest level; what lies outside gets the level at that end.
 * @throws Error when a value is not a number: a broken generator must not look like a black image.
 */
export function toPixels(values: Float32Array, [low, high] = TANH_RANGE): Uint8Array {
  const pixels = new Uint8Array(values.length);
  const scale = 255 / (high - low);
  const start = 0.5 - low * scale;
  for (let i = 0; i < values.length; i++) {
    const level = Math.min(255, Math.max(0, Math.floor(values[i]! * scale + start)));
    if (Number.isNaN(level)) throw new Error(`the generator gave ${values[i]} at position ${i}`);
    pixels[i] = level;
  }
  return pixels;
}

/**
 * Pictures of one size laid out in rows from the top left.
 * @param pictures all of the same size and channels, at least one.
 * @param columns pictures in a row; a 5×5 grid has 5, a strip as many as there are pictures.
 */
export function tile(pictures: readonly Picture[], columns: number): Picture {
  const { width, height, channels } = pictures[0]!;
  const rows = Math.ceil(pictures.length / columns);
  const sheet = {
    width: width * columns,
    height: height * rows,
    channels,
    data: new Uint8Array(width * columns * height * rows * channels),
  };
  pictures.forEach((picture, i) => {
    const left = (i % columns) * width;
    const top = Math.floor(i / columns) * height;
    for (let y = 0; y < height; y++) {
      const row = picture.data.subarray(y * width * channels, (y + 1) * width * channels);
      sheet.data.set(row, ((top + y) * sheet.width + left) * channels);
    }
  });
  return sheet;
}

/** The cross-fade a latent walk is compared with: each pixel on the line from `a` to `b` at `t`. */
export function crossFade(a: Picture, b: Picture, t: number): Picture {
  const data = a.data.map((level, i) => Math.round(level * (1 - t) + b.data[i]! * t));
  return { ...a, data };
}
