/** Why an image cannot be used, in words for its owner. */
export class ImageFault extends Error {
  override readonly name = 'ImageFault';
}

/** What a file declares about its image, read before any pixel is unpacked. */
export interface ImageHeader {
  /** `png`, `jpeg`, `svg`, `bmp`, … */
  format: string;
  /** Pixels, before any turn by an EXIF tag; 0 where only decoding tells (JPEG XL). */
  width: number;
  height: number;
  /** 1 for a still image. */
  frames: number;
  hasAlpha: boolean;
  /** sharp decodes it, and its cost follows from its pixels. */
  isPlainRaster: boolean;
}

export interface DecodeOptions {
  /** Pixels along each side of the result. */
  size: number;
  /** The colour that transparent pixels are laid over, as `#rrggbb`; white when omitted. */
  background?: string | undefined;
  /** Of an animation: its first frame, or each of them. */
  frames?: 'first' | 'all' | undefined;
}

/** More than any camera's picture: a file that declares more is a decompression bomb. */
export const MAX_PIXELS = 100_000_000;

/** The first line of what a library says about a bad image. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!.trim();
}
