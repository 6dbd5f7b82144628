import { describe, expect, it } from 'vitest';
import { createRandom } from '../index.ts';

describe('createRandom', () => {
  it('reads SHAKE128 as little-endian words', () => {
    // python3 -c "import hashlib, numpy; print(numpy.frombuffer(hashlib.shake_128(b'alice').digest(12), '<u4'))"
    expect([...createRandom('alice').uint32s(3)]).toEqual([1657778716, 657642367, 1964941275]);
  });

  it('goes on where it was, however many are sampled at a time', () => {
    const whole = createRandom('key').uint32s(100);
    const random = createRandom('key');
    const parts = [1, 41, 58].flatMap((count) => [...random.uint32s(count)]);
    expect(parts).toEqual([...whole]);
  });

  it('samples uniform numbers in [-1, 1)', () => {
    const values = createRandom('key').uniform(10_000);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThan(1);
    // Of a hundred equal bins each holds about 100, standard deviation 10.
    const bins = new Array(100).fill(0);
    for (const value of values) bins[Math.floor((value + 1) * 50)]++;
    expect(Math.min(...bins)).toBeGreaterThan(60);
    expect(Math.max(...bins)).toBeLessThan(140);
  });

  it('samples integers below a limit, each as often', () => {
    const seen = new Array(6).fill(0);
    for (const value of createRandom('dice').integers(6_000, 6)) seen[value]++;
    expect(Math.min(...seen)).toBeGreaterThan(900);
    expect(Math.max(...seen)).toBeLessThan(1_100);
  });

  it('permutes without losing or doubling', () => {
    const order = [...createRandom('key').permutation(50)];
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});
