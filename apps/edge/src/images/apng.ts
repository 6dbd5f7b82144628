import type { Picture } from '@killme/model';
import { type Metadata, pngTexts } from './metadata.ts';
import { noPause, type Pause } from './pause.ts';
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
export async function encodeApng(
  { frames, frameMs, repeat }: Animation,
  { pause = noPause, metadata }: { pause?: Pause; metadata?: Metadata | undefined } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = frames[0]!;
  let sequence = 0;
  const chunks: Uint8Array[] = [
    header(frames[0]!),
    ...(metadata ? pngTexts(metadata) : []),
    chunk('acTL', uint32s(frames.length, repeat ? 0 : 1)),
  ];
  for (const frame of frames) {
    const place = uint32s(width, height, 0, 0);
    chunks.push(
      chunk('fcTL', uint32s(sequence++), place, uint16s(frameMs, 1000), [0, 0]),
      frame === frames[0]
        ? chunk('IDAT', await compress(frame, pause))
        : chunk('fdAT', uint32s(sequence++), await compress(frame, pause)),
    );
    await pause();
  }
  return pngFile([...chunks, chunk('IEND')]);
}
