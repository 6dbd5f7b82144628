import { decodeInProcess } from './decode-process.ts';
import { type DecodeOptions, ImageFault, type ImageHeader, MAX_PIXELS } from './image.ts';
import { readHeader } from './image-header.ts';
import { renderFrames } from './render-frames.ts';

/**
 * Plain rasters up to here are decoded in this process: 16 bits of four channels take 32 MB.
 * Larger ones, and formats whose cost no header tells (SVG), go to a process with limits.
 */
const MAX_PIXELS_HERE = 4_000_000;

export interface DecodedImage {
  header: ImageHeader;
  /** One for each frame: `[size, size, 3]`, rows from the top, RGB, 0 … 255. */
  frames: Uint8Array[];
}

/**
 * Any image as plain pixels: turned upright by its EXIF tag, centre-cropped to a square, resized
 * (Lanczos), transparency laid over the background, sRGB.
 * @throws ImageFault when the bytes are no whole image, one of absurd dimensions, or one that takes
 * more time or memory than any honest picture.
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<DecodedImage> {
  const header = await readHeader(bytes);
  const count = options.frames === 'all' ? header.frames : 1;
  const pixels = header.width * header.height * count;
  if (pixels > MAX_PIXELS) {
    const frames = count > 1 ? ` in ${count} frames` : '';
    throw new ImageFault(
      `it declares ${header.width} × ${header.height} pixels${frames}, the limit is ${MAX_PIXELS / 1e6} million`,
    );
  }
  const isCheap = header.isPlainRaster && pixels <= MAX_PIXELS_HERE;
  const frames = isCheap
    ? await renderFrames(bytes, header, options)
    : await decodeInProcess({ bytes, header, options });
  return { header, frames };
}
