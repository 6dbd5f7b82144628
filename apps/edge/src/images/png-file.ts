/**
 * PNG's container: a signature and chunks (PNG, third edition, 5).
 *
 * @module
 */
import type { Channels, Picture } from '@killme/model';
import { concatenate } from './bytes.ts';

/** A file of chunks. */
export const pngFile = (chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  concatenate([[137, 80, 78, 71, 13, 10, 26, 10], ...chunks]);

/** How PNG calls what pixels have, by their number of channels (11.2.1). */
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 } as const satisfies Record<Channels, number>;

/** The header of a picture with 8 bits a channel, rows from top to bottom. */
export const header = ({ width, height, channels }: Picture): Uint8Array =>
  chunk('IHDR', [...uint32s(width, height), 8, COLOUR_TYPES[channels], 0, 0, 0]);

/** A chunk: its length, its name, its data and their checksum. */
export function chunk(name: string, ...data: readonly ArrayLike<number>[]): Uint8Array {
  const named = concatenate([Array.from(name, (letter) => letter.charCodeAt(0)), ...data]);
  return concatenate([uint32s(named.length - 4), named, uint32s(checksum(named))]);
}

export const uint32s = (...values: number[]) =>
  values.flatMap((value) => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255));

export const uint16s = (...values: number[]) =>
  values.flatMap((value) => [value >>> 8, value & 255]);

/** CRC-32 of each byte, as PNG's Annex D makes it. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return crc ^ 0xffffffff;
}
