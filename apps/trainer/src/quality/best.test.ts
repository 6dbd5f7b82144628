import { describe, expect, it } from 'vitest';
import { watchBest } from './best.ts';

const nothing = { iteration: new Float64Array(), parts: new Float64Array() };

describe('watchBest', () => {
  it('finds the lowest parts, also against what was measured before it went on', () => {
    const history = {
      iteration: Float64Array.of(100, 200),
      parts: Float64Array.of(0.5, 0.3),
    };
    const best = watchBest(history, { patience: 0, from: 0 });
    const looks = [0.4, 0.2, 0.2].map((parts, i) => best.look(300 + 100 * i, { parts }));
    expect(looks).toEqual([false, true, false]);
    expect(best.isOver()).toBe(false);
  });

  it('ends a run at a measurement, when patience has passed since the best one', () => {
    const best = watchBest(nothing, { patience: 200, from: 0 });
    best.look(100, { parts: 0.1 });
    best.look(200, { parts: 0.2 });
    expect(best.isOver()).toBe(false);
    best.look(300, { parts: 0.2 });
    expect(best.isOver()).toBe(true);
    best.look(400, { parts: 0.05 });
    expect(best.isOver()).toBe(false);
  });

  it('does not end a warm-up', () => {
    const best = watchBest(nothing, { patience: 200, from: 1000 });
    best.look(100, { parts: 0.1 });
    best.look(1100, { parts: 0.2 });
    expect(best.isOver()).toBe(false);
    best.look(1200, { parts: 0.2 });
    expect(best.isOver()).toBe(true);
  });
});
