import { min, take } from './plan';

/** Numbers of an item of an element-wise pass. */
const BLOCK: i32 = 16384;

/** target = x > 0 ? dy : slope · dy, the gradient of relu (slope 0) and leaky relu. */
export function gate(
  thread: i32, counter: usize, dy: usize, x: usize, target: usize, size: i32, slope: f32,
): void {
  const zero = f32x4.splat(0), slopes = f32x4.splat(slope);
  for (let i = take(counter) * BLOCK; i < size; i = take(counter) * BLOCK) {
    const end = min(i + BLOCK, size);
    for (; i + 4 <= end; i += 4) {
      const at = <usize>i << 2;
      const g = v128.load(dy + at);
      const kept = f32x4.gt(v128.load(x + at), zero);
      v128.store(target + at, v128.bitselect(g, f32x4.mul(g, slopes), kept));
    }
    for (; i < end; i++) {
      const at = <usize>i << 2;
      const g = load<f32>(dy + at);
      store<f32>(target + at, load<f32>(x + at) > 0 ? g : g * slope);
    }
  }
}

/** target = max(x, 0). */
export function relu(thread: i32, counter: usize, x: usize, target: usize, size: i32): void {
  const zero = f32x4.splat(0);
  for (let i = take(counter) * BLOCK; i < size; i = take(counter) * BLOCK) {
    const end = min(i + BLOCK, size);
    for (; i + 4 <= end; i += 4) {
      const at = <usize>i << 2;
      v128.store(target + at, f32x4.max(v128.load(x + at), zero));
    }
    for (; i < end; i++) {
      const at = <usize>i << 2;
      store<f32>(target + at, max<f32>(load<f32>(x + at), 0));
    }
  }
}

/** target = x · y, element by element. */
export function multiply(
  thread: i32, counter: usize, x: usize, y: usize, target: usize, size: i32,
): void {
  for (let i = take(counter) * BLOCK; i < size; i = take(counter) * BLOCK) {
    const end = min(i + BLOCK, size);
    for (; i + 4 <= end; i += 4) {
      const at = <usize>i << 2;
      v128.store(target + at, f32x4.mul(v128.load(x + at), v128.load(y + at)));
    }
    for (; i < end; i++) {
      const at = <usize>i << 2;
      store<f32>(target + at, load<f32>(x + at) * load<f32>(y + at));
    }
  }
}

/**
 * See `hostDropoutMask` of @killme/model: two entries from each word of an xoshiro128** stream.
 * a … d are its state.
 */
export function dropoutMask(
  target: usize, size: i32, threshold: u32, kept: f32, a: u32, b: u32, c: u32, d: u32,
): void {
  for (let i = 0; i < size; i += 2, target += 8) {
    const word = rotl<u32>(b * 5, 7) * 9;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotl<u32>(d, 11);
    store<f32>(target, (word & 0xffff) < threshold ? 0 : kept);
    if (i + 1 < size) store<f32>(target, word >>> 16 < threshold ? 0 : kept, 4);
  }
}

/** See `adamStep` of @killme/model. */
export function adam(
  thread: i32, counter: usize, p: usize, m: usize, v: usize, g: usize, pTo: usize, mTo: usize,
  vTo: usize, size: i32, rate: f32, keep1: f32, keep2: f32, epsilon: f32,
): void {
  const rates = f32x4.splat(rate), epsilons = f32x4.splat(epsilon);
  const keep1s = f32x4.splat(keep1), keep2s = f32x4.splat(keep2);
  for (let i = take(counter) * BLOCK; i < size; i = take(counter) * BLOCK) {
    const end = min(i + BLOCK, size);
    for (; i + 4 <= end; i += 4) {
      const at = <usize>i << 2;
      const g4 = v128.load(g + at), m4 = v128.load(m + at), v4 = v128.load(v + at);
      const m5 = f32x4.add(m4, f32x4.mul(f32x4.sub(g4, m4), keep1s));
      const v5 = f32x4.add(v4, f32x4.mul(f32x4.sub(f32x4.mul(g4, g4), v4), keep2s));
      const step = f32x4.div(f32x4.mul(m5, rates), f32x4.add(f32x4.sqrt(v5), epsilons));
      v128.store(pTo + at, f32x4.sub(v128.load(p + at), step));
      v128.store(mTo + at, m5);
      v128.store(vTo + at, v5);
    }
    for (; i < end; i++) {
      const at = <usize>i << 2;
      const gi = load<f32>(g + at), mi = load<f32>(m + at), vi = load<f32>(v + at);
      const mNext = mi + (gi - mi) * keep1;
      const vNext = vi + (gi * gi - vi) * keep2;
      store<f32>(pTo + at, load<f32>(p + at) - mNext * rate / (sqrt<f32>(vNext) + epsilon));
      store<f32>(mTo + at, mNext);
      store<f32>(vTo + at, vNext);
    }
  }
}

/** y[r, c] = x[r, c] + bias[c]. */
export function addBias(
  thread: i32, counter: usize, x: usize, bias: usize, y: usize, rows: i32, channels: i32,
): void {
  const step = max(1, BLOCK / channels);
  for (let r = take(counter) * step; r < rows; r = take(counter) * step) {
    let at = <usize>(r * channels) << 2;
    for (const end = min(r + step, rows); r < end; r++) {
      let c = 0;
      for (; c + 4 <= channels; c += 4, at += 16) {
        v128.store(y + at, f32x4.add(v128.load(x + at), v128.load(bias + (<usize>c << 2))));
      }
      for (; c < channels; c++, at += 4) {
        store<f32>(y + at, load<f32>(x + at) + load<f32>(bias + (<usize>c << 2)));
      }
    }
  }
}
