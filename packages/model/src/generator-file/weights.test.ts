import { describe, expect, it } from 'vitest';
import { createRandom, decodeWeight, encodeWeight } from '../index.ts';

describe('encodeWeight', () => {
  it('keeps float32 as it is', () => {
    const values = new Float32Array([1.1, -2.2]);
    expect(decodeWeight(encodeWeight(values, [2], 'float32'))).toBe(values);
  });

  it('rounds to float16 as IEEE 754 says', () => {
    // 1, the largest, the smallest normal and subnormal, overflow, ties to even (up and down), −0.1
    const values = [1, 65504, 2 ** -14, 2 ** -24, 65520, 1 + 3 / 2048, 1 + 1 / 2048, -0.1, 0];
    const weight = encodeWeight(new Float32Array(values), [9], 'float16');
    expect([...weight.values]).toEqual([
      0x3c00, 0x7bff, 0x0400, 0x0001, 0x7c00, 0x3c02, 0x3c00, 0xae66, 0,
    ]);
  });

  it('comes back from float16 within half a step', () => {
    const values = createRandom('weights').uniform(10_000);
    const decoded = decodeWeight(encodeWeight(values, [values.length], 'float16'));
    decoded.forEach((value, i) => {
      expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(
        Math.abs(values[i]!) * 2 ** -11 + 2 ** -25,
      );
    });
  });

  it('scales int8 for each channel of the last axis', () => {
    const weight = encodeWeight(new Float32Array([1, 100, -0.5, 50, 0, -100]), [3, 2], 'int8');
    expect([...weight.values]).toEqual([127, 127, -64, 64, 0, -127]);
    expect(weight).toHaveProperty('scales', new Float32Array([1 / 127, 100 / 127]));
    expect([...decodeWeight(weight)].map((v) => Math.round(v * 1000) / 1000)).toEqual([
      1, 100, -0.504, 50.394, 0, -100,
    ]);
  });

  it('keeps a channel of zeros', () => {
    expect([...decodeWeight(encodeWeight(new Float32Array([0, 0]), [2, 1], 'int8'))]).toEqual([
      0, 0,
    ]);
  });
});
