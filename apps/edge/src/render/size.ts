import { PIXELS, SIZE } from '../http/parameters.ts';
import { badParameters } from '../http/problem.ts';

/** In pixels. */
export interface Size {
  width: number;
  height: number;
}

export const area = ({ width, height }: Size): number => width * height;

/** The size of a picture whose longer side has `side` pixels; its shape stays. */
export function withLongerSide({ width, height }: Size, side: number): Size {
  const scale = side / Math.max(width, height);
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/**
 * The size of each of `count` pictures in one answer.
 * @param side `size=`, the longer side; omitted, it is the generator's own, or the largest that fits.
 * @param own the size that the generator renders
 * @throws ProblemError 400 naming `size` and what it may be for that many pictures.
 */
export function sizeOfEach(side: number | undefined, count: number, own: Size): Size {
  const fits = (size: Size) => count * area(size) <= PIXELS;
  const size = side === undefined ? own : withLongerSide(own, side);
  if (fits(size)) return size;
  let most = side ?? Math.max(own.width, own.height);
  while (!fits(withLongerSide(own, most))) most--;
  if (side === undefined) return withLongerSide(own, most);
  const allowed = `a whole number from ${SIZE.least} to ${most} for ${count} pictures`;
  throw badParameters([{ parameter: 'size', allowed, received: String(side) }]);
}
