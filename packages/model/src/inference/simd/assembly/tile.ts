import { finish, PLAIN, storePart, toFloat } from './finish';

/**
 * The inner loops that do nearly all of the arithmetic: tiles of sums held in registers, of which
 * wasm's SIMD has 16 on common CPUs; a multiplication and an addition each need one more.
 *
 * C[i, j] = Σₖ A[i, k] · B[k, j]. Row i of A, a pixel, begins at a + i · pixel; its numbers lie together,
 * in `segments` runs of `length` numbers, `segmentStride` bytes apart. B is packed: for each k the
 * tile's columns, output channels, side by side. Four steps are written out, because address
 * arithmetic would else take as long as the sums.
 *
 * T is what A and B hold. With f32, `length` counts numbers. With i16, `length` counts pairs of numbers:
 * `dot_i16x8_s` multiplies two pairs and adds both products, so B's panels hold the weights of two
 * terms side by side for each column, and the sums are int32.
 *
 * Row i of C goes to `to` + i · pixelTo; `rows` and `columns` say how much of the tile there is. Rows
 * beyond them are read, and dropped, so A's memory must go on behind its last pixel.
 */

/** Four pixels, eight channels. */
// @ts-ignore: decorator
@inline export function tile4x8<T>(
  a: usize, pixel: usize, segments: i32, segmentStride: usize, length: i32, b: usize, to: usize,
  pixelTo: usize, rows: i32, columns: i32, bias: usize, after: usize, activation: i32,
  scales: usize = 0, unit: f32 = 1,
): void {
  let c00 = zero(), c01 = zero();
  let c10 = zero(), c11 = zero();
  let c20 = zero(), c21 = zero();
  let c30 = zero(), c31 = zero();
  let x = c00, b0 = c00, b1 = c00;
  for (let s = 0; s < segments; s++, a += segmentStride) {
    let p0 = a, p1 = p0 + pixel, p2 = p1 + pixel, p3 = p2 + pixel;
    let k = length;
    for (; k >= 4; k -= 4) {
      b0 = v128.load(b); b1 = v128.load(b, 16);
      x = v128.load32_splat(p0); c00 = mulAdd<T>(c00, x, b0); c01 = mulAdd<T>(c01, x, b1);
      x = v128.load32_splat(p1); c10 = mulAdd<T>(c10, x, b0); c11 = mulAdd<T>(c11, x, b1);
      x = v128.load32_splat(p2); c20 = mulAdd<T>(c20, x, b0); c21 = mulAdd<T>(c21, x, b1);
      x = v128.load32_splat(p3); c30 = mulAdd<T>(c30, x, b0); c31 = mulAdd<T>(c31, x, b1);
      b0 = v128.load(b, 32); b1 = v128.load(b, 48);
      x = v128.load32_splat(p0, 4); c00 = mulAdd<T>(c00, x, b0); c01 = mulAdd<T>(c01, x, b1);
      x = v128.load32_splat(p1, 4); c10 = mulAdd<T>(c10, x, b0); c11 = mulAdd<T>(c11, x, b1);
      x = v128.load32_splat(p2, 4); c20 = mulAdd<T>(c20, x, b0); c21 = mulAdd<T>(c21, x, b1);
      x = v128.load32_splat(p3, 4); c30 = mulAdd<T>(c30, x, b0); c31 = mulAdd<T>(c31, x, b1);
      b0 = v128.load(b, 64); b1 = v128.load(b, 80);
      x = v128.load32_splat(p0, 8); c00 = mulAdd<T>(c00, x, b0); c01 = mulAdd<T>(c01, x, b1);
      x = v128.load32_splat(p1, 8); c10 = mulAdd<T>(c10, x, b0); c11 = mulAdd<T>(c11, x, b1);
      x = v128.load32_splat(p2, 8); c20 = mulAdd<T>(c20, x, b0); c21 = mulAdd<T>(c21, x, b1);
      x = v128.load32_splat(p3, 8); c30 = mulAdd<T>(c30, x, b0); c31 = mulAdd<T>(c31, x, b1);
      b0 = v128.load(b, 96); b1 = v128.load(b, 112);
      x = v128.load32_splat(p0, 12); c00 = mulAdd<T>(c00, x, b0); c01 = mulAdd<T>(c01, x, b1);
      x = v128.load32_splat(p1, 12); c10 = mulAdd<T>(c10, x, b0); c11 = mulAdd<T>(c11, x, b1);
      x = v128.load32_splat(p2, 12); c20 = mulAdd<T>(c20, x, b0); c21 = mulAdd<T>(c21, x, b1);
      x = v128.load32_splat(p3, 12); c30 = mulAdd<T>(c30, x, b0); c31 = mulAdd<T>(c31, x, b1);
      p0 += 16; p1 += 16; p2 += 16; p3 += 16;
      b += 128;
    }
    for (; k > 0; k--) {
      b0 = v128.load(b); b1 = v128.load(b, 16);
      x = v128.load32_splat(p0); c00 = mulAdd<T>(c00, x, b0); c01 = mulAdd<T>(c01, x, b1);
      x = v128.load32_splat(p1); c10 = mulAdd<T>(c10, x, b0); c11 = mulAdd<T>(c11, x, b1);
      x = v128.load32_splat(p2); c20 = mulAdd<T>(c20, x, b0); c21 = mulAdd<T>(c21, x, b1);
      x = v128.load32_splat(p3); c30 = mulAdd<T>(c30, x, b0); c31 = mulAdd<T>(c31, x, b1);
      p0 += 4; p1 += 4; p2 += 4; p3 += 4;
      b += 32;
    }
  }
  storeRow8<T>(to + 0 * pixelTo, c00, c01, columns, bias, after, activation, scales, unit);
  if (rows > 1) storeRow8<T>(to + 1 * pixelTo, c10, c11, columns, bias, after, activation, scales, unit);
  if (rows > 2) storeRow8<T>(to + 2 * pixelTo, c20, c21, columns, bias, after, activation, scales, unit);
  if (rows > 3) storeRow8<T>(to + 3 * pixelTo, c30, c31, columns, bias, after, activation, scales, unit);
}

/** Eight pixels, four channels: for images of 3, where eight would be wasted. */
// @ts-ignore: decorator
@inline export function tile8x4<T>(
  a: usize, pixel: usize, segments: i32, segmentStride: usize, length: i32, b: usize, to: usize,
  pixelTo: usize, rows: i32, columns: i32, bias: usize, after: usize, activation: i32,
  scales: usize = 0, unit: f32 = 1,
): void {
  let c00 = zero();
  let c10 = zero();
  let c20 = zero();
  let c30 = zero();
  let c40 = zero();
  let c50 = zero();
  let c60 = zero();
  let c70 = zero();
  let x = c00, b0 = c00;
  for (let s = 0; s < segments; s++, a += segmentStride) {
    let p0 = a, p1 = p0 + pixel, p2 = p1 + pixel, p3 = p2 + pixel, p4 = p3 + pixel, p5 = p4 + pixel, p6 = p5 + pixel, p7 = p6 + pixel;
    let k = length;
    for (; k >= 4; k -= 4) {
      b0 = v128.load(b);
      x = v128.load32_splat(p0); c00 = mulAdd<T>(c00, x, b0);
      x = v128.load32_splat(p1); c10 = mulAdd<T>(c10, x, b0);
      x = v128.load32_splat(p2); c20 = mulAdd<T>(c20, x, b0);
      x = v128.load32_splat(p3); c30 = mulAdd<T>(c30, x, b0);
      x = v128.load32_splat(p4); c40 = mulAdd<T>(c40, x, b0);
      x = v128.load32_splat(p5); c50 = mulAdd<T>(c50, x, b0);
      x = v128.load32_splat(p6); c60 = mulAdd<T>(c60, x, b0);
      x = v128.load32_splat(p7); c70 = mulAdd<T>(c70, x, b0);
      b0 = v128.load(b, 16);
      x = v128.load32_splat(p0, 4); c00 = mulAdd<T>(c00, x, b0);
      x = v128.load32_splat(p1, 4); c10 = mulAdd<T>(c10, x, b0);
      x = v128.load32_splat(p2, 4); c20 = mulAdd<T>(c20, x, b0);
      x = v128.load32_splat(p3, 4); c30 = mulAdd<T>(c30, x, b0);
      x = v128.load32_splat(p4, 4); c40 = mulAdd<T>(c40, x, b0);
      x = v128.load32_splat(p5, 4); c50 = mulAdd<T>(c50, x, b0);
      x = v128.load32_splat(p6, 4); c60 = mulAdd<T>(c60, x, b0);
      x = v128.load32_splat(p7, 4); c70 = mulAdd<T>(c70, x, b0);
      b0 = v128.load(b, 32);
      x = v128.load32_splat(p0, 8); c00 = mulAdd<T>(c00, x, b0);
      x = v128.load32_splat(p1, 8); c10 = mulAdd<T>(c10, x, b0);
      x = v128.load32_splat(p2, 8); c20 = mulAdd<T>(c20, x, b0);
      x = v128.load32_splat(p3, 8); c30 = mulAdd<T>(c30, x, b0);
      x = v128.load32_splat(p4, 8); c40 = mulAdd<T>(c40, x, b0);
      x = v128.load32_splat(p5, 8); c50 = mulAdd<T>(c50, x, b0);
      x = v128.load32_splat(p6, 8); c60 = mulAdd<T>(c60, x, b0);
      x = v128.load32_splat(p7, 8); c70 = mulAdd<T>(c70, x, b0);
      b0 = v128.load(b, 48);
      x = v128.load32_splat(p0, 12); c00 = mulAdd<T>(c00, x, b0);
      x = v128.load32_splat(p1, 12); c10 = mulAdd<T>(c10, x, b0);
      x = v128.load32_splat(p2, 12); c20 = mulAdd<T>(c20, x, b0);
      x = v128.load32_splat(p3, 12); c30 = mulAdd<T>(c30, x, b0);
      x = v128.load32_splat(p4, 12); c40 = mulAdd<T>(c40, x, b0);
      x = v128.load32_splat(p5, 12); c50 = mulAdd<T>(c50, x, b0);
      x = v128.load32_splat(p6, 12); c60 = mulAdd<T>(c60, x, b0);
      x = v128.load32_splat(p7, 12); c70 = mulAdd<T>(c70, x, b0);
      p0 += 16; p1 += 16; p2 += 16; p3 += 16; p4 += 16; p5 += 16; p6 += 16; p7 += 16;
      b += 64;
    }
    for (; k > 0; k--) {
      b0 = v128.load(b);
      x = v128.load32_splat(p0); c00 = mulAdd<T>(c00, x, b0);
      x = v128.load32_splat(p1); c10 = mulAdd<T>(c10, x, b0);
      x = v128.load32_splat(p2); c20 = mulAdd<T>(c20, x, b0);
      x = v128.load32_splat(p3); c30 = mulAdd<T>(c30, x, b0);
      x = v128.load32_splat(p4); c40 = mulAdd<T>(c40, x, b0);
      x = v128.load32_splat(p5); c50 = mulAdd<T>(c50, x, b0);
      x = v128.load32_splat(p6); c60 = mulAdd<T>(c60, x, b0);
      x = v128.load32_splat(p7); c70 = mulAdd<T>(c70, x, b0);
      p0 += 4; p1 += 4; p2 += 4; p3 += 4; p4 += 4; p5 += 4; p6 += 4; p7 += 4;
      b += 16;
    }
  }
  storeRow4<T>(to + 0 * pixelTo, c00, columns, bias, after, activation, scales, unit);
  if (rows > 1) storeRow4<T>(to + 1 * pixelTo, c10, columns, bias, after, activation, scales, unit);
  if (rows > 2) storeRow4<T>(to + 2 * pixelTo, c20, columns, bias, after, activation, scales, unit);
  if (rows > 3) storeRow4<T>(to + 3 * pixelTo, c30, columns, bias, after, activation, scales, unit);
  if (rows > 4) storeRow4<T>(to + 4 * pixelTo, c40, columns, bias, after, activation, scales, unit);
  if (rows > 5) storeRow4<T>(to + 5 * pixelTo, c50, columns, bias, after, activation, scales, unit);
  if (rows > 6) storeRow4<T>(to + 6 * pixelTo, c60, columns, bias, after, activation, scales, unit);
  if (rows > 7) storeRow4<T>(to + 7 * pixelTo, c70, columns, bias, after, activation, scales, unit);
}

// @ts-ignore: decorator
@inline function zero(): v128 {
  return i32x4.splat(0);
}

/** c + x · b, lane by lane; of i16, c + x₀ · b₀ + x₁ · b₁. */
// @ts-ignore: decorator
@inline function mulAdd<T>(c: v128, x: v128, b: v128): v128 {
  if (isInteger<T>()) return i32x4.add(c, i32x4.dot_i16x8_s(x, b));
  return f32x4.add(c, f32x4.mul(x, b));
}

// @ts-ignore: decorator
@inline function storeRow8<T>(
  to: usize, lo: v128, hi: v128, columns: i32, bias: usize, after: usize, activation: i32,
  scales: usize, unit: f32,
): void {
  if (activation != PLAIN) {
    lo = finish(toFloat<T>(lo, scales, unit), bias, after, activation);
    hi = finish(toFloat<T>(hi, scales + 16, unit), bias + 16, after + 16, activation);
  }
  if (columns >= 8) {
    v128.store(to, lo);
    v128.store(to, hi, 16);
  } else {
    storePart(to, lo, columns);
    storePart(to + 16, hi, columns - 4);
  }
}

// @ts-ignore: decorator
@inline function storeRow4<T>(
  to: usize, value: v128, columns: i32, bias: usize, after: usize, activation: i32, scales: usize,
  unit: f32,
): void {
  storePart(to, finish(toFloat<T>(value, scales, unit), bias, after, activation), columns);
}
