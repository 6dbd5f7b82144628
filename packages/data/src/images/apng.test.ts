import { describe, expect, it } from 'vitest';
import { countPngFrames, decodeApngFrames } from './apng.ts';
import { decodeImage } from './decode-image.ts';

/**
 * Written by Pillow 11, 4×3: red; a green square of 2×2 laid over it, then cleared; blue but for the first column,
 * half transparent in the second row, laid over, then taken back; red with the square again, in place of all.
 */
const ANIMATED = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAYAAAC09K7GAAAACGFjVEwAAAAEAAAAAHzNZtAAAAAaZmNUTAAAAAAAAAAEAAAAAwAAAAAAAAAAAAEA' +
    'CgAAzHMM+wAAABVJREFUeJxjPCEn958BCTAxoAEMAQBiCwIJ+auXhwAAABpmY1RMAAAAAQAAAAIAAAACAAAAAAAAAAAAAQAKAQEdOzcDAAAAGGZk' +
    'QVQAAAACeJxjlDsh95+BgYGBiQEKAB5oAgcXhUylAAAAGmZjVEwAAAADAAAABAAAAAMAAAAAAAAAAAABAAoCAf+nZ9IAAAAgZmRBVAAAAAR4nGNk' +
    'YGBgkJM78Z8BCligdCNMgBFdBQB5cQSODExQ3QAAABpmY1RMAAAABQAAAAQAAAADAAAAAAAAAAAAAQAKAABXXEe8AAAAJ2ZkQVQAAAAGeJxjlDsh' +
    '95+BgYFhVRgDAwMDAwMTAxpgPCEHUQEDAKfTBQs0CZSqAAAAAElFTkSuQmCC',
  'base64',
);
const CANVAS = { width: 4, height: 3 };

const [red, green, blue, none] = ['c81e1eff', '1ec81eff', '1e1ec8ff', '00000000'];
/** Half of the blue (128 of 255) over nothing, and over red: 30 · 0.502 + 200 · 0.498 = 115. */
const [pale, mixed] = ['1e1ec880', '731e73ff'];

describe('frames of an animated PNG', () => {
  it('are laid on one another as the standard says', async () => {
    const frames = await decodeApngFrames(ANIMATED, CANVAS);
    const rows = frames.map((frame) => Buffer.from(frame).toString('hex').match(/.{32}/g));
    const square = [`${green}${green}${red}${red}`, `${green}${green}${red}${red}`];
    expect(rows).toEqual([
      new Array(3).fill(red.repeat(4)),
      [...square, red.repeat(4)],
      [`${none}${blue.repeat(3)}`, `${none}${pale}${mixed}${mixed}`, `${red}${blue.repeat(3)}`],
      [...square, red.repeat(4)],
    ]);
  });

  it('are counted, and all of them are read where that is asked for', async () => {
    expect(countPngFrames(ANIMATED)).toBe(4);
    const { header, frames } = await decodeImage(ANIMATED, { size: 3, frames: 'all' });
    expect(header.frames).toBe(4);
    expect(frames).toHaveLength(4);
    expect([...frames[0]!.subarray(0, 3)]).toEqual([200, 30, 30]);
    expect(frames[1]).not.toEqual(frames[0]);
    expect(frames[3]).toEqual(frames[1]);
    expect((await decodeImage(ANIMATED, { size: 3 })).frames).toEqual([frames[0]]);
  });

  it('are refused in one line when the file is cut short', async () => {
    const cut = ANIMATED.subarray(0, 250);
    await expect(decodeImage(cut, { size: 3, frames: 'all' })).rejects.toThrow(
      /^damaged or cut short \(/,
    );
  });
});
