import { describe, expect, it } from 'vitest';
import { formatDuration, progressBar, timeLeft } from './progress.ts';

it('a progress bar fills with the work done, and stays full when a budget is overspent', () => {
  expect([0, 0.5, 1, 1.01].map((fraction) => progressBar(fraction).indexOf('░'))).toEqual([
    0, 20, -1, -1,
  ]);
});

describe('the time left', () => {
  it('goes by what has been done: iterations, or CPU seconds of a budget', () => {
    expect(timeLeft({ seconds: 30, from: 100, at: 110, to: 200 })).toBe(270);
    // 40 CPU seconds in 60 s, 200 more to go
    expect(timeLeft({ seconds: 60, from: 10, at: 50, to: 250 })).toBe(300);
  });

  it('is none when the budget is overspent', () => {
    expect(timeLeft({ seconds: 60, from: 0, at: 301, to: 300 })).toBe(0);
  });

  it('is written in two units', () => {
    expect([0, 59, 75, 3600, 90_061].map(formatDuration)).toEqual([
      '0 s',
      '59 s',
      '1 min 15 s',
      '1 h 0 min',
      '1 d 1 h',
    ]);
  });
});
