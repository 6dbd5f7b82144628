import { finish, PLAIN, storePart, toFloat } from './finish';
import { quantize, unitOf } from './quantize';
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
  inBlocks<f32>(
    x, height, width, channels << 2, kernel, bias, after, activation, 0, 1, blockRows, scratch, y, outputs,
  );
}

/**
 * The same in integers: x is rounded to int16 as quantize.ts says, and the sums are exact.
 * @param kernel int16, panels of pairs of channels
 * @param scales `[outputs]`, of the kernel of each output channel
 * @param scratch begins with room for x in int16, its channels filled up to an even number
 */
export function upsampleConvolveInteger(
  x: usize, height: i32, width: i32, channels: i32, kernel: usize, bias: usize, after: usize,
  activation: i32, scales: usize, blockRows: i32, scratch: usize, y: usize, outputs: i32,
): void {
  const pixels = height * width;
  const pixel = channels + 1 >> 1 << 2;
  const unit = unitOf(x, pixels * channels);
  quantize(x, pixels, channels, unit, scratch);
  inBlocks<i16>(
    scratch, height, width, pixel, kernel, bias, after, activation, scales, unit, blockRows,
    scratch + (pixels * pixel + 15 & ~15), y, outputs,
  );
}

/** @param pixel bytes of one pixel of x, a multiple of 4 */
// @ts-ignore: decorator
@inline function inBlocks<T>(
  x: usize, height: i32, width: i32, pixel: i32, kernel: usize, bias: usize, after: usize,
  activation: i32, scales: usize, unit: f32, blockRows: i32, scratch: usize, y: usize, outputs: i32,
): void {
  const row = width * pixel, wide = row + pixel;
  // Differences along columns have one more pixel in a row, those along rows one more row.
  const across = scratch;
  const down = across + blockRows * wide;
  const both = down + (blockRows + 1) * row;
  const products = both + (blockRows + 1) * wide + SLACK * pixel;
  const matrix = (pixel >> 2) * (outputs + 7 >> 3) << 5;
  for (let first = 0; first < height; first += blockRows) {
    const rows = min(blockRows, height - first);
    difference<T>(x, height, width, pixel, first, rows, across, down, both);
    const size = rows * width * outputs << 2;
    const x0 = x + first * row;
    multiply<T>(x0, row, rows, width, pixel, kernel, products, outputs);
    multiply<T>(across, wide, rows, width, pixel, kernel + matrix, products + size, outputs);
    multiply<T>(across + pixel, wide, rows, width, pixel, kernel + 2 * matrix, products + 2 * size, outputs);
    multiply<T>(down, row, rows, width, pixel, kernel + 3 * matrix, products + 3 * size, outputs);
    multiply<T>(down + row, row, rows, width, pixel, kernel + 4 * matrix, products + 4 * size, outputs);
    multiply<T>(both, wide, rows, width, pixel, kernel + 5 * matrix, products + 5 * size, outputs);
    multiply<T>(both + pixel, wide, rows, width, pixel, kernel + 6 * matrix, products + 6 * size, outputs);
    multiply<T>(both + wide, wide, rows, width, pixel, kernel + 7 * matrix, products + 7 * size, outputs);
    multiply<T>(both + wide + pixel, wide, rows, width, pixel, kernel + 8 * matrix, products + 8 * size, outputs);
    combine<T>(products, size, rows, width, outputs, bias, after, activation, scales, unit, y + (first * width * outputs << 4));
  }
}

/** Pixels that a tile reads behind its row. */
const SLACK = 4;

/**
 * For rows first … first + rows − 1: across[r, j] = x[r, j] − x[r, j−1], j from 0 to width;
 * down[r, j] = x[r, j] − x[r−1, j] with one more row; both, likewise, of across. Outside is zero.
 */
function difference<T>(
  x: usize, height: i32, width: i32, pixel: i32, first: i32, rows: i32, across: usize, down: usize,
  both: usize,
): void {
  const row = width * pixel, wide = row + pixel;
  for (let r = first; r <= first + rows; r++) {
    const here = r < height ? x + r * row : 0;
    if (r == 0) memory.copy(down, here, row);
    else subtract<T>(here, x + (r - 1) * row, down, row);
    acrossRow<T>(down, pixel, row, both);
    if (r < first + rows) acrossRow<T>(here, pixel, row, across);
    across += wide;
    down += row;
    both += wide;
  }
}

/** to[j] = from[j] − from[j−1] for j from 0 to the width, which has one more pixel than `from`. */
function acrossRow<T>(from: usize, pixel: usize, row: usize, to: usize): void {
  memory.copy(to, from, pixel);
  subtract<T>(from + pixel, from, to + pixel, row - pixel);
  subtract<T>(0, from + row - pixel, to + row, pixel);
}

/** to = a − b, or −b where a is 0. @param bytes a multiple of 4 */
function subtract<T>(a: usize, b: usize, to: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    v128.store(to + i, minus<T>(a == 0 ? i32x4.splat(0) : v128.load(a + i), v128.load(b + i)));
  }
  for (; i < bytes; i += 4) {
    const left = a == 0 ? i32x4.splat(0) : v128.load32_zero(a + i);
    v128.store32_lane(to + i, minus<T>(left, v128.load32_zero(b + i)), 0);
  }
}

// @ts-ignore: decorator
@inline function minus<T>(a: v128, b: v128): v128 {
  return isInteger<T>() ? i16x8.sub(a, b) : f32x4.sub(a, b);
}

/** c[rows, width, outputs] = the pixels at `a` times a packed matrix. */
function multiply<T>(
  a: usize, row: i32, rows: i32, width: i32, pixel: i32, kernel: usize, c: usize, outputs: i32,
): void {
  const pixelTo = outputs << 2;
  const panel = pixel << 3;
  for (let n = 0; n < outputs; n += 8, kernel += panel) {
    for (let i = 0; i < rows; i++) {
      const from = a + i * row, to = c + i * width * pixelTo + (n << 2);
      for (let j = 0; j < width; j += 4) {
        tile4x8<T>(
          from + j * pixel, pixel, 1, 0, pixel >> 2, kernel, to + j * pixelTo, pixelTo, width - j,
          outputs - n, 0, 0, PLAIN,
        );
      }
    }
  }
}

/** The four outputs of each pixel from its nine products, whose signs the kernels hold. */
function combine<T>(
  products: usize, size: usize, rows: i32, width: i32, outputs: i32, bias: usize, after: usize,
  activation: i32, scales: usize, unit: f32, y: usize,
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
        const north = plus<T>(center, v128.load(at + 3 * size));
        const south = plus<T>(center, v128.load(at + 4 * size));
        const nw = plus<T>(plus<T>(north, west), v128.load(at + 5 * size));
        const ne = plus<T>(plus<T>(north, east), v128.load(at + 6 * size));
        const sw = plus<T>(plus<T>(south, west), v128.load(at + 7 * size));
        const se = plus<T>(plus<T>(south, east), v128.load(at + 8 * size));
        storePart(even + n, finish(toFloat<T>(nw, scales + n, unit), bias + n, after + n, activation), left);
        storePart(even + pixel + n, finish(toFloat<T>(ne, scales + n, unit), bias + n, after + n, activation), left);
        storePart(odd + n, finish(toFloat<T>(sw, scales + n, unit), bias + n, after + n, activation), left);
        storePart(odd + pixel + n, finish(toFloat<T>(se, scales + n, unit), bias + n, after + n, activation), left);
      }
    }
  }
}

// @ts-ignore: decorator
@inline function plus<T>(a: v128, b: v128): v128 {
  return isInteger<T>() ? i32x4.add(a, b) : f32x4.add(a, b);
}
