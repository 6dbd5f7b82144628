import type { Picture } from '@killme/model';
import { concatenate } from './bytes.ts';
import { encodePng } from './encode.ts';

/** Pictures of one size, shown one after the other. */
export interface Animation {
  /** At least one. */
  frames: readonly Picture[];
  frameMs: number;
  /** For ever, or once, staying at the last frame. */
  repeat: boolean;
}

const SIGNATURE_BYTES = 8;

/**
 * An animation as APNG (PNG, third edition, 11.3.6): each frame is what fast-png makes of it, with
 * its data under the names that animations have.
 */
export function encodeApng({ frames, frameMs, repeat }: Animation): Uint8Array<ArrayBuffer> {
  const { width, height } = frames[0]!;
  const pngs = frames.map(encodePng);
  const [header] = chunksOf(pngs[0]!);
  let sequence = 0;
  const frameControl = () =>
    chunk('fcTL', [...uint32s(sequence++, width, height, 0, 0), ...uint16s(frameMs, 1000), 0, 0]);
  const body = pngs.flatMap((png, i) => [
    frameControl(),
    ...chunksOf(png)
      .filter(({ name }) => name === 'IDAT')
      .map(({ data }) =>
        i === 0 ? chunk('IDAT', data) : chunk('fdAT', uint32s(sequence++), data),
      ),
  ]);
  return concatenate([
    pngs[0]!.subarray(0, SIGNATURE_BYTES),
    chunk('IHDR', header!.data),
    chunk('acTL', uint32s(frames.length, repeat ? 0 : 1)),
    ...body,
    chunk('IEND'),
  ]);
}

interface Chunk {
  name: string;
  data: Uint8Array;
}

function chunksOf(png: Uint8Array): Chunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE_BYTES; at < png.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...png.subarray(at + 4, at + 8));
    chunks.push({ name, data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12; // its length, name and checksum too
  }
  return chunks;
}

function chunk(name: string, ...data: readonly ArrayLike<number>[]): Uint8Array {
  const named = concatenate([Array.from(name, (letter) => letter.charCodeAt(0)), ...data]);
  return concatenate([uint32s(named.length - 4), named, uint32s(checksum(named))]);
}

const uint32s = (...values: number[]) =>
  values.flatMap((value) => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255));

const uint16s = (...values: number[]) => values.flatMap((value) => [value >>> 8, value & 255]);

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
