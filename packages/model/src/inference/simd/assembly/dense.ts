import { finish } from './finish';

/** How weights are stored, numbered as in simd.ts. */
const FLOAT32 = 0, FLOAT16 = 1, INT8 = 2;

/** Sums held in the first-level cache while the rows of the kernel pass by. */
const BLOCK = 2048;

/**
 * A dense layer straight from its stored encoding: at one latent each weight is used once, so
 * decoding it first would only cost memory.
 * y[j] = activation(scales[j] · Σᵢ latent[i] · kernel[i, j] + bias[j]) + after[j].
 * @param units a multiple of 4
 */
export function dense(
  latent: usize, inputs: i32, kernel: usize, encoding: i32, scales: usize, bias: usize, after: usize,
  activation: i32, y: usize, units: i32,
): void {
  const size = encoding == FLOAT32 ? 4 : encoding == FLOAT16 ? 2 : 1;
  for (let start = 0; start < units; start += BLOCK) {
    const end = min(start + BLOCK, units);
    memory.fill(y + (start << 2), 0, end - start << 2);
    for (let i = 0; i < inputs; i++) {
      const row = kernel + <usize>(i * units) * size;
      const z = f32x4.splat(load<f32>(latent + (i << 2)));
      if (encoding == INT8) addInt8(row, start, end, z, y);
      else if (encoding == FLOAT16) addFloat16(row, start, end, z, y);
      else addFloat32(row, start, end, z, y);
    }
    for (let j = start << 2; j < end << 2; j += 16) {
      const sum = f32x4.mul(v128.load(y + j), v128.load(scales + j));
      v128.store(y + j, finish(sum, bias + j, after + j, activation));
    }
  }
}

// @ts-ignore: decorator
@inline function add(to: usize, z: v128, weights: v128): void {
  v128.store(to, f32x4.add(v128.load(to), f32x4.mul(z, weights)));
}

function addInt8(row: usize, start: i32, end: i32, z: v128, y: usize): void {
  let j = start;
  for (; j + 8 <= end; j += 8) {
    const wide = v128.load8x8_s(row + j);
    const to = y + (j << 2);
    add(to, z, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(wide)));
    add(to + 16, z, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(wide)));
  }
  for (; j < end; j += 4) {
    const wide = i16x8.extend_low_i8x16_s(v128.load32_zero(row + j));
    add(y + (j << 2), z, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(wide)));
  }
}

/** A float16's bits shifted into a float32's places are 2⁻¹¹² of its value, also where it is subnormal. */
function addFloat16(row: usize, start: i32, end: i32, z: v128, y: usize): void {
  const scale = f32x4.splat(5.192296858534828e33);
  for (let j = start; j < end; j += 4) {
    const bits = v128.load16x4_u(row + (j << 1));
    const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16);
    const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13);
    add(y + (j << 2), z, f32x4.mul(v128.or(sign, magnitude), scale));
  }
}

function addFloat32(row: usize, start: i32, end: i32, z: v128, y: usize): void {
  for (let j = start; j < end; j += 4) add(y + (j << 2), z, v128.load(row + (j << 2)));
}
