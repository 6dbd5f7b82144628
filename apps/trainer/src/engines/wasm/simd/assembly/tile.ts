/**
 * The inner loop that does nearly all of the arithmetic: a tile of 6 × 8 results in registers.
 *
 * relaxed_madd is a fused multiply-add where the CPU has one: twice the speed of mul and add.
 * Results are repeatable on one machine but may differ in the last bit between kinds of CPU.
 */

// @ts-ignore: decorator
@inline export function madd(x: v128, y: v128, sum: v128): v128 {
  return f32x4.relaxed_madd(x, y, sum);
}

// @ts-ignore: decorator
@inline function storeTile(
  c: usize, ldc: usize, rows: i32, columns: i32, accumulate: bool, i: i32, lo: v128, hi: v128,
): void {
  if (i >= rows) return;
  let to = c + <usize>i * ldc;
  if (columns >= 8) {
    if (accumulate) {
      lo = f32x4.add(lo, v128.load(to));
      hi = f32x4.add(hi, v128.load(to, 16));
    }
    v128.store(to, lo);
    v128.store(to, hi, 16);
    return;
  }
  let half = lo;
  let left = columns;
  if (left >= 4) {
    if (accumulate) lo = f32x4.add(lo, v128.load(to));
    v128.store(to, lo);
    half = hi;
    to += 16;
    left -= 4;
  }
  if (left > 0) storeScalar(to, f32x4.extract_lane(half, 0), accumulate);
  if (left > 1) storeScalar(to + 4, f32x4.extract_lane(half, 1), accumulate);
  if (left > 2) storeScalar(to + 8, f32x4.extract_lane(half, 2), accumulate);
}

// @ts-ignore: decorator
@inline function storeScalar(to: usize, value: f32, accumulate: bool): void {
  store<f32>(to, accumulate ? load<f32>(to) + value : value);
}

/**
 * C[6, 8] (+)= Σₖ A[i, k] · B[k, j], the sum over `segments` runs of `length` numbers that lie
 * together in A. Row i of A begins at a + i · am bytes and takes a step of `ak` bytes per k.
 */
// @ts-ignore: decorator
@inline export function tile(
  a: usize, am: usize, ak: usize, segments: i32, segmentStride: usize, length: i32, b: usize,
  c: usize, ldc: usize, rows: i32, columns: i32, accumulate: bool,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0), c41 = f32x4.splat(0);
  let c50 = f32x4.splat(0), c51 = f32x4.splat(0);
  for (let s = 0; s < segments; s++) {
    let p0 = a, p1 = a + am, p2 = p1 + am, p3 = p2 + am, p4 = p3 + am, p5 = p4 + am;
    for (let k = 0; k < length; k++) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const x0 = v128.load32_splat(p0);
      c00 = madd(x0, b0, c00); c01 = madd(x0, b1, c01);
      const x1 = v128.load32_splat(p1);
      c10 = madd(x1, b0, c10); c11 = madd(x1, b1, c11);
      const x2 = v128.load32_splat(p2);
      c20 = madd(x2, b0, c20); c21 = madd(x2, b1, c21);
      const x3 = v128.load32_splat(p3);
      c30 = madd(x3, b0, c30); c31 = madd(x3, b1, c31);
      const x4 = v128.load32_splat(p4);
      c40 = madd(x4, b0, c40); c41 = madd(x4, b1, c41);
      const x5 = v128.load32_splat(p5);
      c50 = madd(x5, b0, c50); c51 = madd(x5, b1, c51);
      p0 += ak; p1 += ak; p2 += ak; p3 += ak; p4 += ak; p5 += ak;
      b += 32;
    }
    a += segmentStride;
  }
  storeTile(c, ldc, rows, columns, accumulate, 0, c00, c01);
  storeTile(c, ldc, rows, columns, accumulate, 1, c10, c11);
  storeTile(c, ldc, rows, columns, accumulate, 2, c20, c21);
  storeTile(c, ldc, rows, columns, accumulate, 3, c30, c31);
  storeTile(c, ldc, rows, columns, accumulate, 4, c40, c41);
  storeTile(c, ldc, rows, columns, accumulate, 5, c50, c51);
}
