import { createRandom } from '@killme/model';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../engines/start.ts';
import { splitReal } from './image-set.ts';
import { comparePatches } from './measure.ts';

const SIDE = 16;

/** Images of random pixels. */
function noise(count: number, key: string) {
  const levels = createRandom(key).integers(count * SIDE * SIDE * 3, 256);
  return { count, imageSize: SIDE, images: Uint8Array.from(levels) };
}

beforeAll(async () => {
  await startEngine('wasm', () => {});
});

describe('the comparison by patches', () => {
  it('is the same with a floor that is known: the real images are worked out once', async () => {
    const [real, made] = [noise(24, 'real'), noise(12, 'made')];
    const halves = splitReal(24, 0);
    const floors = new Map();
    const first = await comparePatches(real, made, halves, 0, floors);
    expect([...floors]).toEqual([[12, first.floor]]);
    expect(await comparePatches(real, made, halves, 0, floors)).toEqual(first);
    expect(await comparePatches(real, made, halves, 0)).toEqual(first);
  });
});
