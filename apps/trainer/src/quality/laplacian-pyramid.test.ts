import { createRandom } from '@killme/model';
import { describe, expect, it } from 'vitest';
import { laplacianPyramid } from './laplacian-pyramid.ts';

describe('a Laplacian pyramid', () => {
  it('of one colour has no detail, and keeps the colour', () => {
    const [fine, coarse] = laplacianPyramid({ side: 16, values: new Float32Array(768).fill(9) }, 2);
    expect(fine!.side).toBe(16);
    expect(Math.max(...fine!.values.map(Math.abs))).toBeLessThan(1e-5);
    expect(coarse!.side).toBe(8);
    for (const value of coarse!.values) expect(value).toBeCloseTo(9, 5);
  });

  it('by hand: a dot spreads as [1 4 6 4 1] / 16 each way', () => {
    const values = new Float32Array(16 * 16 * 3);
    values[(8 * 16 + 8) * 3] = 256;
    const [, coarse] = laplacianPyramid({ side: 16, values }, 2);
    const red = (y: number, x: number) => coarse!.values[(y * 8 + x) * 3];
    expect([red(4, 4), red(4, 3), red(4, 5), red(3, 3), red(4, 2)]).toEqual([36, 6, 6, 1, 0]);
  });

  it('loses nothing: one level is the image itself', () => {
    const values = createRandom('image').uniform(8 * 8 * 3);
    expect(laplacianPyramid({ side: 8, values }, 1)[0]!.values).toEqual(values);
  });
});
