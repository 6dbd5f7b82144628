import type { Picture } from '@killme/model';
import { Deflate, type DeflateOptions, Z_RLE } from 'pako';
import { type Metadata, pngTexts } from './metadata.ts';
import { noPause, type Pause } from './pause.ts';
import { chunk, header, pngFile } from './png-file.ts';

/**
 * pako is JavaScript: the same bytes in every runtime, unlike `CompressionStream` or `node:zlib`,
 * whose zlib differs between them. Behind Paeth's filter there is nothing left that repeats but runs,
 * and looking for more takes twice the time (docs/serving-figures.md).
 */
const ZLIB: DeflateOptions = { strategy: Z_RLE };

/** Bytes that are filtered and compressed between two pauses. */
const SLICE_BYTES = 2 ** 17;

/** A picture as PNG, 8 bits a channel: grey, RGB or RGBA, as it is. */
export async function encodePng(
  picture: Picture,
  { pause = noPause, metadata }: { pause?: Pause; metadata?: Metadata | undefined } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return pngFile([
    header(picture),
    ...(metadata ? pngTexts(metadata) : []),
    chunk('IDAT', await compress(picture, pause)),
    chunk('IEND'),
  ]);
}

/** The pixels as a PNG's `IDAT` has them: filtered and deflated. */
export async function compress(picture: Picture, pause: Pause = noPause): Promise<Uint8Array> {
  const { width, height, channels } = picture;
  const rows = Math.max(1, Math.floor(SLICE_BYTES / (1 + width * channels)));
  const zlib = new Deflate(ZLIB);
  for (let from = 0; from < height; from += rows) {
    if (from > 0) await pause();
    const to = Math.min(height, from + rows);
    zlib.push(filterPaeth(picture, from, to), to === height);
  }
  return zlib.result;
}

const PAETH = 4;

/**
 * Rows `from` up to `to`: each byte less what its neighbours foretell of it, each row behind the
 * filter's number (PNG, 9.4).
 */
function filterPaeth(
  { width, channels, data }: Picture,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  const row = width * channels;
  const filtered = new Uint8Array((1 + row) * (to - from));
  let end = 0;
  for (let y = from; y < to; y++) {
    filtered[end++] = PAETH;
    const start = y * row;
    for (let x = 0; x < row; x++, end++) {
      const at = start + x;
      const left = x < channels ? 0 : data[at - channels]!;
      const above = y === 0 ? 0 : data[at - row]!;
      const corner = x < channels || y === 0 ? 0 : data[at - row - channels]!;
      filtered[end] = data[at]! - paeth(left, above, corner);
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
