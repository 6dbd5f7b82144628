import type { Picture } from '@killme/model';
import { deflate, Z_RLE } from 'pako';
import { chunk, header, pngFile } from './png-file.ts';

/**
 * pako is JavaScript: the same bytes in every runtime, unlike `CompressionStream` or `node:zlib`,
 * whose zlib differs between them. Behind Paeth's filter there is nothing left that repeats but runs,
 * and looking for more takes twice the time (docs/serving-figures.md).
 */
const ZLIB = { strategy: Z_RLE };

/** A picture as PNG, RGB, 8 bits a channel. */
export function encodePng(picture: Picture): Uint8Array<ArrayBuffer> {
  const { width, height } = picture;
  return pngFile([header(width, height), chunk('IDAT', compress(picture)), chunk('IEND')]);
}

/** The pixels as a PNG's `IDAT` has them: filtered and deflated. */
export const compress = (picture: Picture): Uint8Array => deflate(filterPaeth(picture), ZLIB);

const CHANNELS = 3;
const PAETH = 4;

/** Each byte less what its neighbours foretell of it, each row behind the filter's number (PNG, 9.4). */
function filterPaeth({ width, height, data }: Picture): Uint8Array {
  const row = width * CHANNELS;
  const filtered = new Uint8Array((1 + row) * height);
  let to = 0;
  for (let y = 0; y < height; y++) {
    filtered[to++] = PAETH;
    const start = y * row;
    for (let x = 0; x < row; x++, to++) {
      const at = start + x;
      const left = x < CHANNELS ? 0 : data[at - CHANNELS]!;
      const above = y === 0 ? 0 : data[at - row]!;
      const corner = x < CHANNELS || y === 0 ? 0 : data[at - row - CHANNELS]!;
      filtered[to] = data[at]! - paeth(left, above, corner);
    }
  }
  return filtered;
}

/** That of the three which is nearest to left + above − corner; the first of equals. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
