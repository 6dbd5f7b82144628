import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { sideBySide } from './grids.ts';

const plain = (level: number) => ({
  width: 20,
  height: 10,
  channels: 3 as const,
  data: new Uint8Array(20 * 10 * 3).fill(level),
});

describe('grids side by side', () => {
  it('lie in rows, white between them and where there is none', async () => {
    const { width, height, data } = decode(await sideBySide([plain(0), plain(50), plain(99)], 2));
    const level = (x: number, y: number) => data[3 * (y * width + x)];
    expect({ width, height }).toEqual({ width: 20 + 16 + 20, height: 10 + 16 + 10 });
    expect([level(0, 0), level(19, 9), level(20, 0), level(36, 0)]).toEqual([0, 0, 255, 50]);
    expect([level(0, 10), level(0, 26), level(19, 35), level(36, 26)]).toEqual([255, 99, 99, 255]);
  });

  it('are one row where there are fewer than columns', async () => {
    const { width, height } = decode(await sideBySide([plain(0), plain(50)], 5));
    expect({ width, height }).toEqual({ width: 56, height: 10 });
  });
});
