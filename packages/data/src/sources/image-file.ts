import sharp from 'sharp';

/** More than any camera's picture: a file that declares more is a decompression bomb. */
export const MAX_PIXELS = 100_000_000;

/** Points an inch at which sharp renders an SVG at its own size, and the most that it allows. */
const SVG_DENSITY = { default: 72, max: 100_000 };

/** Why an image cannot be used, in words for its owner. */
export class ImageFault extends Error {
  override readonly name = 'ImageFault';
}

/**
 * Any image that sharp reads as plain pixels: turned upright by its EXIF tag, centre-cropped to a
 * square, resized (Lanczos), transparency laid over white, sRGB. Of an animation, the first frame.
 * @returns `[size, size, 3]`, rows from the top, RGB, 0 … 255.
 * @throws ImageFault when the bytes are no whole image, or one of absurd dimensions.
 */
export async function decodeImage(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const density = await checkHeader(bytes, size);
  const { data, info } = await sharp(bytes, {
    failOn: 'error',
    limitInputPixels: MAX_PIXELS,
    density,
  })
    .autoOrient()
    .resize(size, size, { fit: 'cover', position: 'centre' })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw new ImageFault(`damaged or cut short (${firstLine(error)})`);
    });
  if (info.channels !== 3) throw new Error(`sharp gave ${info.channels} channels`);
  return data;
}

/** Checks what an image declares before any pixel of it is unpacked; the density to render an SVG at. */
async function checkHeader(bytes: Uint8Array, size: number): Promise<number> {
  if (bytes.length === 0) throw new ImageFault('the file is empty (0 bytes)');
  const { format, width, height } = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      const line = firstLine(error);
      throw new ImageFault(
        line.includes('unsupported image format')
          ? 'its content is not an image that can be read'
          : `its header is damaged (${line})`,
      );
    });
  if (width * height > MAX_PIXELS) {
    throw new ImageFault(
      `it declares ${width} × ${height} pixels, the limit is ${MAX_PIXELS / 1e6} million`,
    );
  }
  if (format !== 'svg') return SVG_DENSITY.default;
  const zoom = Math.max(1, size / Math.min(width, height));
  return Math.min(SVG_DENSITY.max, SVG_DENSITY.default * zoom);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!.trim();
}
