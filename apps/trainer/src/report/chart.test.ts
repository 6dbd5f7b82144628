import { describe, expect, it } from 'vitest';
import {
  chartTop,
  curvePath,
  evenIndices,
  rawPath,
  smooth,
  spread,
  steadyIndices,
  ticks,
} from './chart.ts';

describe('smooth', () => {
  it('begins with the first value, not near zero, and leaves a constant as it is', () => {
    expect([...smooth(Float64Array.of(5, 5, 5))]).toEqual([5, 5, 5]);
  });

  it('counts a value half after a hundredth of the run', () => {
    const step = Float64Array.from({ length: 1000 }, (_, i) => (i < 500 ? 0 : 1));
    expect(smooth(step)[509]).toBeCloseTo(0.5, 2);
  });

  it('passes over what is no finite number', () => {
    expect([...smooth(Float64Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, 1))]).toEqual([
      1, 1, 1, 1,
    ]);
  });
});

describe('spread', () => {
  it('is where nine in ten values of each stretch lie', () => {
    const values = Float64Array.from({ length: 202 }, (_, i) => i % 101);
    expect(spread(values, 2)).toEqual({
      low: [
        [50, 5],
        [151, 5],
      ],
      high: [
        [50, 95],
        [151, 95],
      ],
    });
  });
});

describe('rawPath', () => {
  it('shows every iteration of a short run', () => {
    expect(rawPath(Float64Array.of(0, 1, Number.NaN, 0.5), 3, 1)).toEqual({
      kind: 'line',
      path: 'M0.0 1000.0L333.3 0.0L1000.0 500.0',
    });
  });

  it('stays small for 200,000 iterations', () => {
    const values = Float64Array.from({ length: 200_000 }, (_, i) => Math.sin(i));
    const { kind, path } = rawPath(values, 199_999, 1);
    expect(kind).toBe('area');
    expect(path.length).toBeLessThan(4000);
  });
});

describe('curvePath', () => {
  it('shows one point as a dot, and nothing as nothing', () => {
    expect(curvePath([[0, 1]], 1, 2)).toBe('M0.0 500.0L0.0 500.0');
    expect(curvePath([], 1, 2)).toBe('');
  });
});

describe('ticks', () => {
  it.each([
    [0.8, [0, 0.2, 0.4, 0.6, 0.8]],
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [7, [0, 2, 4, 6, 8]],
    [199_999, [0, 50_000, 100_000, 150_000, 200_000]],
    [0, [0]],
  ])('to %d are round numbers', (max, expected) => {
    const made = ticks(max, 5);
    expect(made).toHaveLength(expected.length);
    for (const [i, tick] of made.entries()) expect(tick).toBeCloseTo(expected[i]!, 12);
  });
});

describe('chartTop', () => {
  it('cuts off a spike that would flatten the curves', () => {
    const values = Float64Array.from({ length: 1000 }, (_, i) => (i === 500 ? 100 : 1));
    const calm = new Float64Array(1000).fill(1);
    expect(chartTop([values], [calm])).toBe(2);
  });

  it('is something even for no values', () => {
    expect(chartTop([new Float64Array(0)], [new Float64Array(0)])).toBe(1);
  });
});

describe('a choice of indices', () => {
  it('has the first and the last among it', () => {
    expect(evenIndices(3, 5)).toEqual([0, 1, 2]);
    expect(evenIndices(101, 5)).toEqual([0, 25, 50, 75, 100]);
  });

  it('keeps to its earlier choices as the run goes on', () => {
    expect(steadyIndices(0, 4)).toEqual([]);
    expect(steadyIndices(4, 4)).toEqual([0, 1, 2, 3]);
    expect(steadyIndices(5, 4)).toEqual([0, 2, 4]);
    expect(steadyIndices(6, 4)).toEqual([0, 2, 4, 5]);
    expect(steadyIndices(201, 40)).toHaveLength(26);
  });
});
