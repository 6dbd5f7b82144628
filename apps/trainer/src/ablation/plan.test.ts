import { describe, expect, it } from 'vitest';
import { planAblation } from './plan.ts';
import { nameData } from './train-variant.ts';
import { trainCommand, variantOptions } from './variants.ts';

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

  it('has one size of images, which the commands and the table name where it is not 128', () => {
    expect(planAblation(options).imageSize).toBe(128);
    expect(planAblation({ ...options, imageSize: 64 }).imageSize).toBe(64);
    const place = { seed: 3, backend: 'wasm' } as const;
    expect(trainCommand(variantOptions('hinge', { ...place, imageSize: 64 }))).toMatch(
      /^npm run train -- --seed 3 --image-size 64 --backend wasm --preset lite --batch 16 /,
    );
    expect(variantOptions('hinge', { ...place, imageSize: 128 })).toEqual(
      variantOptions('hinge', place),
    );
    expect(nameData({ name: 'icons', imageSize: 64 })).toBe('icons, 64 × 64');
    expect(nameData({ name: 'icons', imageSize: 128 })).toBe('icons');
  });

  it('refuses two sets that the table would not tell apart', () => {
    expect(() => planAblation({ ...options, data: ['/a/icons', '/b/icons'] })).toThrow(
      'two of --data are called icons: rename one',
    );
  });
});
