import type { Picture } from '@killme/model';
import { encodePng } from './encode.ts';
import { startWebp } from './encode-webp.ts';
import { once } from './once.ts';

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
