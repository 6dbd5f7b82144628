import { beforeAll, describe, expect, it } from 'vitest';
import { startWasm } from '../engines/wasm/wasm.ts';
import { takeImages } from './image-set.ts';
import { slicedWasserstein } from './sliced-wasserstein.ts';
import { reference, referenceImages } from './testing/reference.ts';

beforeAll(async () => {
  await startWasm();
});

describe('the sliced Wasserstein distance', () => {
  it('is that of SciPy and NumPy, band by band', async () => {
    const [bands] = await slicedWasserstein(referenceImages('a'), [referenceImages('b')], 3);
    expect(bands!.map(({ side }) => side)).toEqual([32, 16]);
    bands!.forEach(({ distance }, i) => {
      const expected = reference.slicedWasserstein[i]!.distance;
      expect(Math.abs(distance / expected - 1)).toBeLessThan(1e-4);
    });
  });

  it('of a set to itself is 0, and does not depend on what else is measured', async () => {
    const [a, b] = [referenceImages('a'), referenceImages('b')];
    const [itself, other] = await slicedWasserstein(a, [a, b], 3);
    expect(itself!.map(({ distance }) => distance)).toEqual([0, 0]);
    expect(await slicedWasserstein(a, [b], 3)).toEqual([other]);
  });

  it('of images without any detail is a number', async () => {
    const a = referenceImages('a');
    const flat = takeImages({ ...a, images: a.images.map(() => 80) }, [0, 1, 2]);
    const [bands] = await slicedWasserstein(a, [flat], 3);
    for (const { distance } of bands!) expect(distance).toBeGreaterThan(0);
  });
});
