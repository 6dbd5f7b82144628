/** Largest magnitude of a rounded number: 12 bits, so that differences of differences fit int16. */
const LARGEST: f32 = 4095;

/** Below it a unit would have no inverse. */
const SMALLEST_UNIT: f32 = 1e-30;

/** What one step of the rounded numbers is worth: the largest magnitude of `count` numbers / 4095. */
export function unitOf(x: usize, count: i32): f32 {
  let most = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) most = f32x4.max(most, f32x4.abs(v128.load(x + (i << 2))));
  let largest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (; i < count; i++) largest = max(largest, abs(load<f32>(x + (i << 2))));
  return max(largest / LARGEST, SMALLEST_UNIT);
}

/**
 * Rounds pixels to the nearest step, ties to even: to[i, c] = x[i, c] / unit as int16. A pixel of an odd
 * number of channels gets a zero more.
 */
export function quantize(x: usize, pixels: i32, channels: i32, unit: f32, to: usize): void {
  const inverse: f32 = 1 / unit;
  if (channels & 1) {
    for (let i = 0; i < pixels; i++, x += channels << 2, to += channels + 1 << 1) {
      for (let c = 0; c < channels; c++) {
        store<i16>(to + (c << 1), <i16>(<i32>nearest(load<f32>(x + (c << 2)) * inverse)));
      }
      store<i16>(to + (channels << 1), 0);
    }
    return;
  }
  const count = pixels * channels;
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const at = x + (i << 2);
    const low = rounded(v128.load(at), inverse), high = rounded(v128.load(at, 16), inverse);
    v128.store(to + (i << 1), i16x8.narrow_i32x4_s(low, high));
  }
  for (; i < count; i += 2) {
    const pair = rounded(v128.load64_zero(x + (i << 2)), inverse);
    v128.store32_lane(to + (i << 1), i16x8.narrow_i32x4_s(pair, pair), 0);
  }
}

// @ts-ignore: decorator
@inline function rounded(values: v128, inverse: f32): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(values, f32x4.splat(inverse))));
}
