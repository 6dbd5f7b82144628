import type { Picture } from '@killme/model';
import { encode } from 'fast-png';
import { startWebp } from './encode-webp.ts';
import { once } from './generator.ts';

/**
 * fast-png deflates with fflate, which is JavaScript: the same bytes in every runtime, unlike
 * `CompressionStream` or `node:zlib`, whose zlib differs between them.
 */
const ZLIB = { level: 6 } as const;

/** A picture as PNG, RGB, 8 bits a channel. */
export function encodePng({ width, height, data }: Picture): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode({ width, height, data, channels: 3, depth: 8 }, { zlib: ZLIB }));
}

/** Encodes one picture in one of the formats for stills. */
export type EncodeStill = (
  picture: Picture,
  format: 'png' | 'webp',
) => Promise<Uint8Array<ArrayBuffer>>;

/** @param loadWebpBinary called at the first picture that is to be WebP. */
export function stillEncoder(
  loadWebpBinary: () => WebAssembly.Module | Promise<WebAssembly.Module>,
): EncodeStill {
  const start = once(async () => startWebp(await loadWebpBinary()));
  return async (picture, format) =>
    format === 'webp' ? (await start())(picture) : encodePng(picture);
}
