/** Pixels of one picture, rows from the top, RGB, 0 … 255: `[height, width, 3]`. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
}

/**
 * The one place where a generator's output becomes pixels: [-1, 1] to 0 … 255, the inverse of the
 * article's `(x - 127.5) / 127.5`, rounded to the nearest level.
 * @throws Error when a value is not a number: a broken generator must not look like a black image.
 */
export function toPixels(values: Float32Array): Uint8Array {
  const pixels = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const level = Math.min(255, Math.max(0, Math.floor(values[i]! * 127.5 + 128)));
    if (Number.isNaN(level)) throw new Error(`the generator gave ${values[i]} at position ${i}`);
    pixels[i] = level;
  }
  return pixels;
}

/**
 * Pictures of one size laid out in rows from the top left.
 * @param pictures all of the same size, at least one.
 * @param columns pictures in a row; a 5×5 grid has 5, a strip as many as there are pictures.
 */
export function tile(pictures: readonly Picture[], columns: number): Picture {
  const { width, height } = pictures[0]!;
  const rows = Math.ceil(pictures.length / columns);
  const sheet = {
    width: width * columns,
    height: height * rows,
    data: new Uint8Array(width * columns * height * rows * 3),
  };
  pictures.forEach((picture, i) => {
    const left = (i % columns) * width;
    const top = Math.floor(i / columns) * height;
    for (let y = 0; y < height; y++) {
      const row = picture.data.subarray(y * width * 3, (y + 1) * width * 3);
      sheet.data.set(row, ((top + y) * sheet.width + left) * 3);
    }
  });
  return sheet;
}

/** The cross-fade a latent walk is compared with: each pixel on the line from `a` to `b` at `t`. */
export function crossFade(a: Picture, b: Picture, t: number): Picture {
  const data = a.data.map((level, i) => Math.round(level * (1 - t) + b.data[i]! * t));
  return { width: a.width, height: a.height, data };
}
