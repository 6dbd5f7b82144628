/** What follows a sum, numbered as in simd.ts; PLAIN means not even the bias. */
export const PLAIN = 0, LINEAR = 1, RELU = 2, TANH = 3;

const LOG2_E: f32 = 1.4426950408889634;
/** ln 2 in two parts, the first exact in few bits, so that x − n · ln 2 loses nothing. */
const LN2_HIGH: f32 = 0.693359375, LN2_LOW: f32 = -2.12194440e-4;

/** activation(sum + bias) + after, for four channels. */
// @ts-ignore: decorator
@inline export function finish(sum: v128, bias: usize, after: usize, activation: i32): v128 {
  let value = f32x4.add(sum, v128.load(bias));
  if (activation == RELU) value = f32x4.max(value, f32x4.splat(0));
  else if (activation == TANH) value = tanh(value);
  return f32x4.add(value, v128.load(after));
}

/** A sum of products as float32. An integer sum counts in `unit` · its channel's scale. */
// @ts-ignore: decorator
@inline export function toFloat<T>(sum: v128, scales: usize, unit: f32): v128 {
  if (!isInteger<T>()) return sum;
  return f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(v128.load(scales), f32x4.splat(unit)));
}

/**
 * tanh x = 1 − 2 / (e²ˣ + 1), within 3e-7: e²ˣ = 2ⁿ · eʳ with |r| ≤ ln 2 / 2, eʳ by its power series.
 * What is not a number stays so.
 */
function tanh(x: v128): v128 {
  const y = f32x4.max(f32x4.splat(-18), f32x4.min(f32x4.splat(18), f32x4.add(x, x)));
  const n = f32x4.nearest(f32x4.mul(y, f32x4.splat(LOG2_E)));
  let r = f32x4.sub(y, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let e = f32x4.splat(1.0 / 5040.0);
  e = f32x4.add(f32x4.mul(e, r), f32x4.splat(1.0 / 720.0));
  e = f32x4.add(f32x4.mul(e, r), f32x4.splat(1.0 / 120.0));
  e = f32x4.add(f32x4.mul(e, r), f32x4.splat(1.0 / 24.0));
  e = f32x4.add(f32x4.mul(e, r), f32x4.splat(1.0 / 6.0));
  e = f32x4.add(f32x4.mul(e, r), f32x4.splat(0.5));
  e = f32x4.add(f32x4.mul(e, r), f32x4.splat(1));
  e = f32x4.add(f32x4.mul(e, r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  const one = f32x4.splat(1);
  return f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(f32x4.mul(e, power), one)));
}

/** Stores the first `count` of four numbers. */
// @ts-ignore: decorator
@inline export function storePart(to: usize, value: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, value);
    return;
  }
  if (count > 0) store<f32>(to, f32x4.extract_lane(value, 0));
  if (count > 1) store<f32>(to, f32x4.extract_lane(value, 1), 4);
  if (count > 2) store<f32>(to, f32x4.extract_lane(value, 2), 8);
}
