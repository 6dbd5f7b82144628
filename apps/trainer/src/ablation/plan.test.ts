import { describe, expect, it } from 'vitest';
import { planAblation } from './plan.ts';

const options = {
  variants: ['lite', 'hinge', 'article'],
  budget: { iterations: 40 },
  seeds: [5, 3],
  data: ['/sets/icons', '/sets/faces'],
  backend: 'wasm',
  split: false,
} as const;

describe('the plan of an ablation', () => {
  it('has a task for each set and seed: all sets of one seed, then those of the next', () => {
    const { tasks } = planAblation(options);
    expect(tasks.map(({ number, data, seed }) => [number, data, seed])).toEqual([
      [0, '/sets/icons', 5],
      [1, '/sets/faces', 5],
      [2, '/sets/icons', 3],
      [3, '/sets/faces', 3],
    ]);
    expect(tasks[0]).toMatchObject({
      variants: ['lite', 'hinge', 'article'],
      after: [],
      needs: { engine: 'wasm', budget: { iterations: 120 } },
    });
  });

  it('split, has the warm-ups first, and after each the variants that share it', () => {
    const { tasks } = planAblation({ ...options, seeds: [5], split: true });
    expect(tasks.map(({ kind, variants, after }) => [kind, variants.join(), after])).toEqual([
      ['warm-up', '', []],
      ['warm-up', '', []],
      ['variants', 'lite', [0]],
      ['variants', 'hinge', [0]],
      ['variants', 'article', []],
      ['variants', 'lite', [1]],
      ['variants', 'hinge', [1]],
      ['variants', 'article', []],
    ]);
  });

  it('has the stand-in characters where no data are given', () => {
    expect(planAblation({ ...options, data: [] }).tasks.map(({ data }) => data)).toEqual([
      null,
      null,
    ]);
  });

  it('refuses two sets that the table would not tell apart', () => {
    expect(() => planAblation({ ...options, data: ['/a/icons', '/b/icons'] })).toThrow(
      'two of --data are called icons: rename one',
    );
  });
});
