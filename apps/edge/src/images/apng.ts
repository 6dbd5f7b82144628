import type { Picture } from '@killme/model';
import { compress } from './png.ts';
import { chunk, header, pngFile, uint16s, uint32s } from './png-file.ts';

/** Pictures of one size, shown one after the other. */
export interface Animation {
  /** At least one. */
  frames: readonly Picture[];
  frameMs: number;
  /** For ever, or once, staying at the last frame. */
  repeat: boolean;
}

/** An animation as APNG (PNG, third edition, 11.3.6): the first frame is what other programs show. */
export function encodeApng({ frames, frameMs, repeat }: Animation): Uint8Array<ArrayBuffer> {
  const { width, height } = frames[0]!;
  let sequence = 0;
  const frameControl = () =>
    chunk('fcTL', uint32s(sequence++, width, height, 0, 0), uint16s(frameMs, 1000), [0, 0]);
  return pngFile([
    header(width, height),
    chunk('acTL', uint32s(frames.length, repeat ? 0 : 1)),
    ...frames.flatMap((frame, i) => [
      frameControl(),
      i === 0
        ? chunk('IDAT', compress(frame))
        : chunk('fdAT', uint32s(sequence++), compress(frame)),
    ]),
    chunk('IEND'),
  ]);
}
