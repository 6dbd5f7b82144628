import type { Picture } from '@killme/model';
import { once } from '../generator/once.ts';
import { encodePng } from './png.ts';
import { startWebp } from './webp.ts';

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
