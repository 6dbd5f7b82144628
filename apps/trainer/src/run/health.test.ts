import { tile } from '@killme/model';
import { describe, expect, it } from 'vitest';
import { checkFinite, diversity, watchForCollapse } from './health.ts';

const plain = (level: number) => ({
  width: 1,
  height: 1,
  channels: 3 as const,
  data: new Uint8Array([level, level, level]),
});
const grid = (...levels: number[]) => tile(levels.map(plain), 2);

describe('diversity', () => {
  it('is the standard deviation of a pixel over the pictures', () => {
    // 0, 0, 100, 100 has mean 50 and deviation 50.
    expect(diversity(grid(0, 100, 100, 0), 2)).toBe(50);
    expect(diversity(grid(7, 7, 7, 7), 2)).toBe(0);
  });
});

describe('watchForCollapse', () => {
  it('speaks once when pictures that differed are all one', () => {
    const watch = watchForCollapse({ columns: 2 });
    expect(watch.look(0, grid(127, 127, 128, 128))).toBeUndefined(); // nothing to see yet
    expect(watch.look(100, grid(0, 100, 100, 0))).toBeUndefined();
    expect(watch.look(200, grid(50, 50, 51, 50))).toMatch(
      /^collapse: at iteration 200 the samples differ by 0\.4 levels of 255 only; the checkpoint before/,
    );
    expect(watch.look(300, grid(50, 50, 50, 50))).toBeUndefined();
  });
});

describe('checkFinite', () => {
  const metrics = {
    realLoss: 0.5,
    fakeLoss: 1,
    realAccuracy: 0.75,
    fakeAccuracy: 0.5,
    generatorLoss: Number.NaN,
    seconds: 1,
  };

  it('ends a run by name of the loss that is no number', () => {
    expect(() => checkFinite(12, metrics)).toThrow(
      'training diverged: generatorLoss is NaN at iteration 12; the last checkpoint is kept',
    );
    expect(() => checkFinite(12, { ...metrics, generatorLoss: 3 })).not.toThrow();
  });
});
