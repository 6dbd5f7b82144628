/**
 * An animation as GIF (GIF89a, https://www.w3.org/Graphics/GIF/spec-gif89a.txt).
 *
 * @module
 */
import type { Picture } from '@killme/model';
import type { Animation } from './apng.ts';
import { concatenate } from './bytes.ts';
import { compressLzw } from './lzw.ts';
import { gifComment, type Metadata } from './metadata.ts';
import { choosePalette, type Palette } from './palette.ts';
import { noPause, type Pause } from './pause.ts';

/**
 * One palette for all frames: with one each, plain backgrounds would flicker between neighbouring
 * shades. Of the alpha of a picture, GIF keeps whether a pixel is more transparent than opaque.
 */
export async function encodeGif(
  { frames, frameMs, repeat }: Animation,
  { pause = noPause, metadata }: { pause?: Pause; metadata?: Metadata | undefined } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = frames[0]!;
  const palette = choosePalette(frames);
  const parts: ArrayLike<number>[] = [
    letters('GIF89a'),
    [...uint16(width), ...uint16(height), GLOBAL_TABLE | (palette.bits - 1), 0, 0],
    colourTable(palette),
    ...(repeat ? [REPEAT_FOR_EVER] : []),
    ...(metadata ? [gifComment(metadata)] : []),
  ];
  for (const frame of frames) {
    await pause();
    parts.push(
      graphicControl(palette, frameMs),
      [0x2c, ...uint16(0, 0, width, height), 0],
      [palette.bits],
      await imageData(frame, palette, pause),
    );
  }
  return concatenate([...parts, [0x3b]]);
}

/** A table of colours follows, eight bits a channel. */
const GLOBAL_TABLE = 0xf0;

const letters = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
const uint16 = (...values: number[]) => values.flatMap((value) => [value & 255, value >>> 8]);

/** The application extension of Netscape 2.0: a number of repetitions, 0 for no end. */
const REPEAT_FOR_EVER = [0x21, 0xff, 11, ...letters('NETSCAPE2.0'), 3, 1, 0, 0, 0];

function colourTable({ colours, bits }: Palette): Uint8Array {
  const table = new Uint8Array(3 * 2 ** bits);
  table.set(colours.subarray(0, table.length));
  return table;
}

const LEAVE_IN_PLACE = 1 << 2;
const CLEAR_BEFORE_NEXT = 2 << 2;

/** How long a frame is shown, in hundredths of a second, and which colour is transparent. */
function graphicControl({ transparent }: Palette, frameMs: number): number[] {
  const flags = transparent === undefined ? LEAVE_IN_PLACE : CLEAR_BEFORE_NEXT | 1;
  return [0x21, 0xf9, 4, flags, ...uint16(Math.round(frameMs / 10)), transparent ?? 0, 0];
}

/** Pixels that are coded between two pauses. */
const SLICE_PIXELS = 2 ** 16;

/** The codes of a frame's pixels, in blocks of at most 255 bytes, behind each its length. */
async function imageData(picture: Picture, palette: Palette, pause: Pause): Promise<Uint8Array> {
  const pixels = picture.width * picture.height;
  const indices = new Uint8Array(pixels);
  for (let from = 0; from < pixels; from += SLICE_PIXELS) {
    if (from > 0) await pause();
    palette.indexPixels(picture, indices, from, Math.min(pixels, from + SLICE_PIXELS));
  }
  const codes = compressLzw(indices, palette.bits);
  const blocks: ArrayLike<number>[] = [];
  for (let at = 0; at < codes.length; at += 255) {
    const block = codes.subarray(at, at + 255);
    blocks.push([block.length], block);
  }
  return concatenate([...blocks, [0]]);
}
