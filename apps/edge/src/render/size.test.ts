import { describe, expect, it } from 'vitest';
import { sizeOfEach, withLongerSide } from './size.ts';

describe('the size of a picture', () => {
  it('is asked for by its longer side, and keeps its shape', () => {
    expect(withLongerSide({ width: 48, height: 64 }, 128)).toEqual({ width: 96, height: 128 });
    expect(withLongerSide({ width: 64, height: 48 }, 100)).toEqual({ width: 100, height: 75 });
    expect(withLongerSide({ width: 1000, height: 1 }, 64)).toEqual({ width: 64, height: 1 });
  });

  it('is the generator’s own when omitted, or the largest that fits', () => {
    expect(sizeOfEach(undefined, 25, { width: 128, height: 128 })).toEqual({
      width: 128,
      height: 128,
    });
    // 25 × 354² are 3,132,900 of 3,145,728 pixels.
    expect(sizeOfEach(undefined, 25, { width: 512, height: 512 })).toEqual({
      width: 354,
      height: 354,
    });
    expect(sizeOfEach(undefined, 64, { width: 512, height: 256 })).toEqual({
      width: 313,
      height: 157,
    });
  });

  it('is refused when it was asked for and does not fit', () => {
    expect(() => sizeOfEach(512, 25, { width: 512, height: 512 })).toThrow(
      'Parameter "size" must be a whole number from 64 to 354 for 25 pictures; got "512".',
    );
  });
});
