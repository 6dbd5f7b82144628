import { min, take } from './plan';
import { madd } from './tile';

/** Numbers of an item of an element-wise pass. */
const BLOCK: i32 = 16384;

/**
 * Sums of `chunk` rows each: sums[item, c] = Σ x[r, c]. A caller adds the items in double precision.
 */
export function columnSums(
  thread: i32, counter: usize, x: usize, rows: i32, channels: i32, chunk: i32, sums: usize,
): void {
  const row = <usize>channels << 2;
  for (let item = take(counter); item * chunk < rows; item = take(counter)) {
    const count = min(chunk, rows - item * chunk);
    const from = x + <usize>(item * chunk) * row, to = sums + <usize>item * row;
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const at = <usize>c << 2;
      v128.store(to + at, columnSum(from + at, row, count));
    }
    for (; c < channels; c++) {
      const at = <usize>c << 2;
      let sum: f32 = 0;
      for (let r = 0; r < count; r++) sum += load<f32>(from + at + <usize>r * row);
      store<f32>(to + at, sum);
    }
  }
}

// @ts-ignore: decorator
@inline function columnSum(from: usize, row: usize, count: i32): v128 {
  let even = f32x4.splat(0), odd = f32x4.splat(0);
  let r = 0;
  for (; r + 2 <= count; r += 2, from += row << 1) {
    even = f32x4.add(even, v128.load(from));
    odd = f32x4.add(odd, v128.load(from + row));
  }
  if (r < count) even = f32x4.add(even, v128.load(from));
  return f32x4.add(even, odd);
}

/** Means of `chunk` rows each, and sums of squared differences from them (Chan et al., 1979). */
export function columnStatistics(
  thread: i32, counter: usize, x: usize, rows: i32, channels: i32, chunk: i32, means: usize,
  squares: usize,
): void {
  const row = <usize>channels << 2;
  for (let item = take(counter); item * chunk < rows; item = take(counter)) {
    const count = min(chunk, rows - item * chunk);
    const from = x + <usize>(item * chunk) * row, place = <usize>item * row;
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const at = <usize>c << 2;
      const mean = f32x4.div(columnSum(from + at, row, count), f32x4.splat(<f32>count));
      let square = f32x4.splat(0);
      for (let r = 0, p = from + at; r < count; r++, p += row) {
        const d = f32x4.sub(v128.load(p), mean);
        square = madd(d, d, square);
      }
      v128.store(means + place + at, mean);
      v128.store(squares + place + at, square);
    }
    for (; c < channels; c++) {
      const at = <usize>c << 2;
      let sum: f32 = 0, square: f32 = 0;
      for (let r = 0; r < count; r++) sum += load<f32>(from + at + <usize>r * row);
      const mean = sum / <f32>count;
      for (let r = 0; r < count; r++) {
        const d = load<f32>(from + at + <usize>r * row) - mean;
        square += d * d;
      }
      store<f32>(means + place + at, mean);
      store<f32>(squares + place + at, square);
    }
  }
}

/** y = (x − mean) · scale + shift, by channel; `table` holds mean, scale and shift one after another. */
export function normalize(
  thread: i32, counter: usize, x: usize, table: usize, y: usize, rows: i32, channels: i32,
): void {
  const step = max(1, BLOCK / channels), row = <usize>channels << 2;
  const scale = table + row, shift = scale + row;
  for (let r = take(counter) * step; r < rows; r = take(counter) * step) {
    let at = <usize>(r * channels) << 2;
    for (const end = min(r + step, rows); r < end; r++) {
      let c: usize = 0;
      for (; c + 16 <= row; c += 16, at += 16) {
        const d = f32x4.sub(v128.load(x + at), v128.load(table + c));
        v128.store(y + at, madd(d, v128.load(scale + c), v128.load(shift + c)));
      }
      for (; c < row; c += 4, at += 4) {
        const d = load<f32>(x + at) - load<f32>(table + c);
        store<f32>(y + at, d * load<f32>(scale + c) + load<f32>(shift + c));
      }
    }
  }
}

/** By chunks of rows: Σ dy and Σ dy · (x − mean). */
export function normalizeGradientSums(
  thread: i32, counter: usize, dy: usize, x: usize, mean: usize, rows: i32, channels: i32,
  chunk: i32, sums: usize, products: usize,
): void {
  const row = <usize>channels << 2;
  for (let item = take(counter); item * chunk < rows; item = take(counter)) {
    const count = min(chunk, rows - item * chunk);
    const from = <usize>(item * chunk) * row, place = <usize>item * row;
    let c: usize = 0;
    for (; c + 16 <= row; c += 16) {
      const m = v128.load(mean + c);
      let sum = f32x4.splat(0), product = f32x4.splat(0);
      for (let r = 0, at = from + c; r < count; r++, at += row) {
        const g = v128.load(dy + at);
        sum = f32x4.add(sum, g);
        product = madd(g, f32x4.sub(v128.load(x + at), m), product);
      }
      v128.store(sums + place + c, sum);
      v128.store(products + place + c, product);
    }
    for (; c < row; c += 4) {
      let sum: f32 = 0, product: f32 = 0;
      for (let r = 0, at = from + c; r < count; r++, at += row) {
        sum += load<f32>(dy + at);
        product += load<f32>(dy + at) * (load<f32>(x + at) - load<f32>(mean + c));
      }
      store<f32>(sums + place + c, sum);
      store<f32>(products + place + c, product);
    }
  }
}

/** dx = a · dy + b · (x − mean) + c, by channel; `table` holds mean, a, b and c. */
export function normalizeGradient(
  thread: i32, counter: usize, dy: usize, x: usize, table: usize, dx: usize, rows: i32,
  channels: i32,
): void {
  const step = max(1, BLOCK / channels), row = <usize>channels << 2;
  const ta = table + row, tb = ta + row, tc = tb + row;
  for (let r = take(counter) * step; r < rows; r = take(counter) * step) {
    let at = <usize>(r * channels) << 2;
    for (const end = min(r + step, rows); r < end; r++) {
      let c: usize = 0;
      for (; c + 16 <= row; c += 16, at += 16) {
        const d = f32x4.sub(v128.load(x + at), v128.load(table + c));
        const part = madd(d, v128.load(tb + c), v128.load(tc + c));
        v128.store(dx + at, madd(v128.load(dy + at), v128.load(ta + c), part));
      }
      for (; c < row; c += 4, at += 4) {
        const d = load<f32>(x + at) - load<f32>(table + c);
        const part = d * load<f32>(tb + c) + load<f32>(tc + c);
        store<f32>(dx + at, load<f32>(dy + at) * load<f32>(ta + c) + part);
      }
    }
  }
}
