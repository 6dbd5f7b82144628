import type { Picture } from '@killme/model';
import { encode } from 'fast-png';

/**
 * fast-png deflates with fflate, which is JavaScript: the same bytes in every runtime, unlike
 * `CompressionStream` or `node:zlib`, whose zlib differs between them.
 */
const ZLIB = { level: 6 } as const;

/** A picture as PNG, RGB, 8 bits a channel. */
export function encodePng({ width, height, data }: Picture): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode({ width, height, data, channels: 3, depth: 8 }, { zlib: ZLIB }));
}
