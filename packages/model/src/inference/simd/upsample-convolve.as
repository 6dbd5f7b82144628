import { finish, PLAIN, storePart } from './finish';
import { tile4x8 } from './tile';

/**
 * Nearest-neighbour upsampling by 2 and a 3×3 convolution with `same` padding, by differences.
 *
 * Along one axis the two outputs of pixel i are k₀·x[i−1] + (k₁+k₂)·x[i] and (k₀+k₁)·x[i] + k₂·x[i+1].
 * With s = k₀+k₁+k₂ and d[i] = x[i+1] − x[i] they are s·x[i] − k₀·d[i−1] and s·x[i] + k₂·d[i]: three
 * products for two outputs, not four. Along both axes: nine for four, not sixteen, each of them a
 * matrix product of pixels with a kernel [channels, outputs].
 *
 * @param x `[height, width, channels]`
 * @param kernel nine packed matrices in panels of 8 output channels, ordered as `PRODUCTS` in simd.ts
 * @param blockRows rows of x worked on at a time
 * @param scratch for `blockRows` rows: differences and products, see `scratchBytes` in simd.ts
 * @param y `[2 · height, 2 · width, outputs]`
 */
export function upsampleConvolve(
  x: usize, height: i32, width: i32, channels: i32, kernel: usize, bias: usize, after: usize,
  activation: i32, blockRows: i32, scratch: usize, y: usize, outputs: i32,
): void {
  const pixel = channels << 2, row = width * pixel, wide = row + pixel;
  // Differences along columns have one more pixel in a row, those along rows one more row.
  const across = scratch;
  const down = across + blockRows * wide;
  const both = down + (blockRows + 1) * row;
  const products = both + (blockRows + 1) * wide + SLACK * pixel;
  const matrix = channels * (outputs + 7 >> 3) << 5;
  for (let first = 0; first < height; first += blockRows) {
    const rows = min(blockRows, height - first);
    difference(x, height, width, channels, first, rows, across, down, both);
    const size = rows * width * outputs << 2;
    const x0 = x + first * row;
    multiply(x0, row, rows, width, channels, kernel, products, outputs);
    multiply(across, wide, rows, width, channels, kernel + matrix, products + size, outputs);
    multiply(across + pixel, wide, rows, width, channels, kernel + 2 * matrix, products + 2 * size, outputs);
    multiply(down, row, rows, width, channels, kernel + 3 * matrix, products + 3 * size, outputs);
    multiply(down + row, row, rows, width, channels, kernel + 4 * matrix, products + 4 * size, outputs);
    multiply(both, wide, rows, width, channels, kernel + 5 * matrix, products + 5 * size, outputs);
    multiply(both + pixel, wide, rows, width, channels, kernel + 6 * matrix, products + 6 * size, outputs);
    multiply(both + wide, wide, rows, width, channels, kernel + 7 * matrix, products + 7 * size, outputs);
    multiply(both + wide + pixel, wide, rows, width, channels, kernel + 8 * matrix, products + 8 * size, outputs);
    combine(products, size, rows, width, outputs, bias, after, activation, y + (first * width * outputs << 4));
  }
}

/** Pixels that a tile reads behind its row. */
const SLACK = 4;

/**
 * For rows first … first + rows − 1: across[r, j] = x[r, j] − x[r, j−1], j from 0 to width;
 * down[r, j] = x[r, j] − x[r−1, j] with one more row; both, likewise, of across. Outside is zero.
 */
function difference(
  x: usize, height: i32, width: i32, channels: i32, first: i32, rows: i32, across: usize, down: usize,
  both: usize,
): void {
  const pixel = channels << 2, row = width * pixel, wide = row + pixel;
  for (let r = first; r <= first + rows; r++) {
    const here = r < height ? x + r * row : 0;
    if (r == 0) memory.copy(down, here, row);
    else subtract(here, x + (r - 1) * row, down, row);
    acrossRow(down, pixel, row, both);
    if (r < first + rows) acrossRow(here, pixel, row, across);
    across += wide;
    down += row;
    both += wide;
  }
}

/** to[j] = from[j] − from[j−1] for j from 0 to the width, which has one more pixel than `from`. */
function acrossRow(from: usize, pixel: usize, row: usize, to: usize): void {
  memory.copy(to, from, pixel);
  subtract(from + pixel, from, to + pixel, row - pixel);
  subtract(0, from + row - pixel, to + row, pixel);
}

/** to = a − b, or −b where a is 0. */
function subtract(a: usize, b: usize, to: usize, bytes: usize): void {
  let i: usize = 0;
  if (a == 0) {
    for (; i + 16 <= bytes; i += 16) v128.store(to + i, f32x4.neg(v128.load(b + i)));
    for (; i < bytes; i += 4) store<f32>(to + i, -load<f32>(b + i));
    return;
  }
  for (; i + 16 <= bytes; i += 16) {
    v128.store(to + i, f32x4.sub(v128.load(a + i), v128.load(b + i)));
  }
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(a + i) - load<f32>(b + i));
}

/** c[rows, width, outputs] = the pixels at `a` times a packed matrix. */
function multiply(
  a: usize, row: i32, rows: i32, width: i32, channels: i32, kernel: usize, c: usize, outputs: i32,
): void {
  const pixel = channels << 2, pixelTo = outputs << 2;
  const panel = channels << 5;
  for (let n = 0; n < outputs; n += 8, kernel += panel) {
    for (let i = 0; i < rows; i++) {
      const from = a + i * row, to = c + i * width * pixelTo + (n << 2);
      for (let j = 0; j < width; j += 4) {
        tile4x8(
          from + j * pixel, pixel, 1, 0, channels, kernel, to + j * pixelTo, pixelTo, width - j,
          outputs - n, 0, 0, PLAIN,
        );
      }
    }
  }
}

/** The four outputs of each pixel from its nine products, whose signs the kernels hold. */
function combine(
  products: usize, size: usize, rows: i32, width: i32, outputs: i32, bias: usize, after: usize,
  activation: i32, y: usize,
): void {
  const pixel = outputs << 2, rowTo = 2 * width * pixel;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) {
      const p = products + (i * width + j) * pixel;
      const even = y + 2 * i * rowTo + 2 * j * pixel, odd = even + rowTo;
      for (let n = 0; n < pixel; n += 16) {
        const at = p + n, left = outputs - (n >> 2);
        const center = v128.load(at);
        const west = v128.load(at + size), east = v128.load(at + 2 * size);
        const north = f32x4.add(center, v128.load(at + 3 * size));
        const south = f32x4.add(center, v128.load(at + 4 * size));
        const nw = f32x4.add(f32x4.add(north, west), v128.load(at + 5 * size));
        const ne = f32x4.add(f32x4.add(north, east), v128.load(at + 6 * size));
        const sw = f32x4.add(f32x4.add(south, west), v128.load(at + 7 * size));
        const se = f32x4.add(f32x4.add(south, east), v128.load(at + 8 * size));
        storePart(even + n, finish(nw, bias + n, after + n, activation), left);
        storePart(even + pixel + n, finish(ne, bias + n, after + n, activation), left);
        storePart(odd + n, finish(sw, bias + n, after + n, activation), left);
        storePart(odd + pixel + n, finish(se, bias + n, after + n, activation), left);
      }
    }
  }
}
