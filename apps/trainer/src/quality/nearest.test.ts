import { expect, it } from 'vitest';
import { nearestSheet, nearestTrainingImages } from './nearest.ts';

const line = (...values: number[]) => ({
  count: values.length,
  size: 1,
  values: Float32Array.from(values),
});

it('copies are found: each sample’s nearest training image, and the ratio of the medians', () => {
  const nearest = nearestTrainingImages(line(0, 4, 10), line(10, 0.5, 4.25, 100));
  expect([...nearest.places]).toEqual([2, 0, 1, 2]);
  expect([...nearest.distances]).toEqual([0, 0.5, 0.25, 90]);
  expect(nearest.median).toBe(0.375);
  expect(nearest.trainingMedian).toBe(4); // of 4, 4 and 6
  expect(nearest.ratio).toBe(0.375 / 4);
});

it('the sheet has each sample left of its nearest, the nearest pair first', () => {
  const set = (...levels: number[]) => ({
    count: levels.length,
    imageSize: 1,
    images: Uint8Array.from(levels.flatMap((level) => [level, level, level])),
  });
  const nearest = nearestTrainingImages(line(0, 4, 10), line(9, 0.5));
  const sheet = nearestSheet(set(100, 140, 200), set(90, 5), nearest);
  expect(sheet).toMatchObject({ width: 8, height: 1 });
  const red = [...sheet.data].filter((_, i) => i % 3 === 0);
  expect(red.slice(0, 4)).toEqual([5, 100, 90, 200]);
});
