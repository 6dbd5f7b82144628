/// <reference path="./gifenc.d.ts" />
import { applyPalette, GIFEncoder, quantize } from 'gifenc/dist/gifenc.esm.js';
import type { Animation } from './apng.ts';
import { concatenate } from './bytes.ts';
import { toRgba } from './resample.ts';

/** What one palette holds; a GIF has no more. */
const COLOURS = 256;

/**
 * An animation as GIF. One palette for all frames: with one each, plain backgrounds would flicker
 * between neighbouring shades.
 */
export function encodeGif({ frames, frameMs, repeat }: Animation): Uint8Array<ArrayBuffer> {
  const { width, height } = frames[0]!;
  const pixels = frames.map(toRgba);
  const palette = quantize(concatenate(pixels), COLOURS);
  const gif = GIFEncoder();
  pixels.forEach((rgba, i) => {
    gif.writeFrame(applyPalette(rgba, palette), width, height, {
      ...(i === 0 ? { palette } : {}),
      delay: frameMs,
      repeat: repeat ? 0 : -1,
    });
  });
  gif.finish();
  return gif.bytes();
}
