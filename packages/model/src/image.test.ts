import { describe, expect, it } from 'vitest';
import { crossFade, tile, toPicture, toPixels } from './index.ts';

describe('toPixels', () => {
  it('undoes (x − 127.5) / 127.5 for every level', () => {
    const levels = Array.from({ length: 256 }, (_, level) => level);
    const values = Float32Array.from(levels, (level) => (level - 127.5) / 127.5);
    expect([...toPixels(values)]).toEqual(levels);
  });

  it('takes the range that the generator ends in', () => {
    expect([...toPixels(Float32Array.of(0, 0.5, 1), [0, 1])]).toEqual([0, 128, 255]);
    expect([...toPixels(Float32Array.of(-3, 0, 127.4, 300), [0, 255])]).toEqual([0, 0, 127, 255]);
  });

  it('keeps values beyond the range at its ends', () => {
    expect([...toPixels(new Float32Array([-1.5, 1.5]))]).toEqual([0, 255]);
  });

  it('fails at a value that is not a number', () => {
    expect(() => toPixels(new Float32Array([0, Number.NaN]))).toThrow('gave NaN at position 1');
  });
});

const pixel = (level: number) => ({
  width: 1,
  height: 1,
  channels: 3 as const,
  data: new Uint8Array([level, level, level]),
});

describe('tile', () => {
  it('fills rows from the top left', () => {
    const sheet = tile([pixel(1), pixel(2), pixel(3)], 2);
    expect([sheet.width, sheet.height]).toEqual([2, 2]);
    expect([...sheet.data]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0, 0]);
  });
});

it('a picture has the channels of its generator, which a sheet keeps', () => {
  const format = { width: 1, height: 1, channels: 4, range: [0, 1] } as const;
  const picture = toPicture(Float32Array.of(1, 0, 1, 0.2), format);
  expect(picture).toEqual({
    width: 1,
    height: 1,
    channels: 4,
    data: Uint8Array.of(255, 0, 255, 51),
  });
  const sheet = tile([picture, picture], 1);
  expect([...sheet.data]).toEqual([255, 0, 255, 51, 255, 0, 255, 51]);
});

describe('crossFade', () => {
  it('mixes pixel by pixel', () => {
    expect([...crossFade(pixel(0), pixel(200), 0.25).data]).toEqual([50, 50, 50]);
  });
});
