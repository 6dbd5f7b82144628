/**
 * WebP's container (https://developers.google.com/speed/webp/docs/riff_container): RIFF with chunks.
 *
 * @module
 */
import { concatenate } from './bytes.ts';

/** Where the first chunk begins: behind `RIFF`, the length of the rest and `WEBP`. */
const FIRST_CHUNK = 12;

/** Of a chunk: its name and the length of its data. */
const CHUNK_HEAD = 8;

/** In the flags of an extended file's first chunk. */
const HAS_XMP = 4;

const letters = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));

/** Little-endian. */
const uint = (value: number, bytes: number) =>
  Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255);

/** A chunk; data of an odd length is followed by a zero. */
const chunk = (name: string, data: ArrayLike<number>): Uint8Array =>
  concatenate([letters(name), uint(data.length, 4), data, data.length % 2 === 1 ? [0] : []]);

/**
 * A WebP file with an XMP packet at its end.
 * @param file as libwebp writes it: lossy, or extended where it has alpha
 */
export function withXmp(
  file: Uint8Array,
  { width, height, xmp }: { width: number; height: number; xmp: string },
): Uint8Array<ArrayBuffer> {
  const name = String.fromCharCode(...file.subarray(FIRST_CHUNK, FIRST_CHUNK + 4));
  if (name !== 'VP8 ' && name !== 'VP8X') throw new Error(`libwebp wrote a chunk ${name}`);
  const isExtended = name === 'VP8X';
  const data = FIRST_CHUNK + CHUNK_HEAD;
  const head = isExtended
    ? file.slice(data, data + 10)
    : Uint8Array.from([0, 0, 0, 0, ...uint(width - 1, 3), ...uint(height - 1, 3)]);
  head[0]! |= HAS_XMP;
  const rest = file.subarray(isExtended ? data + head.length : FIRST_CHUNK);
  const body = concatenate([
    letters('WEBP'),
    chunk('VP8X', head),
    rest,
    chunk('XMP ', new TextEncoder().encode(xmp)),
  ]);
  return concatenate([letters('RIFF'), uint(body.length, 4), body]);
}
