import { presetByName, warmUpOf, withMethods } from '@killme/model/training';
import { describe, expect, it } from 'vitest';
import { workDone } from './iteration.ts';

describe('the work of iterations', () => {
  const lite = presetByName('lite');
  const methods = { ...lite.training.methods!, warmUp: 100 };

  it('is a third each in the warm-up', () => {
    const preset = withMethods(lite, methods);
    expect([0, 50, 100, 101, 200].map((iteration) => workDone(iteration, preset))).toEqual([
      0, 50, 100, 103, 400,
    ]);
  });

  it('is the same each where there is none: without reconstructionWeight, and in the article', () => {
    const without = withMethods(lite, { ...methods, reconstructionWeight: 0 });
    for (const preset of [without, presetByName('article')]) {
      expect(warmUpOf(preset)).toBe(0); // patience counts from there on
      expect(workDone(50, preset) / workDone(200, preset)).toBe(1 / 4);
    }
  });
});
