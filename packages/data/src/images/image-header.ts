import sharp, { type Metadata } from 'sharp';
import { countPngFrames } from './apng.ts';
import { firstLine, ImageFault, type ImageHeader } from './image.ts';
import { bmpHeader, icoHeader, isBmp, isIco, isJxl } from './other-formats.ts';

/** @throws ImageFault when the bytes are no image, or one of a kind that is not read. */
export async function readHeader(bytes: Uint8Array): Promise<ImageHeader> {
  if (bytes.length === 0) throw new ImageFault('the file is empty (0 bytes)');
  if (isBmp(bytes)) return bmpHeader(bytes);
  if (isIco(bytes)) return icoHeader(bytes);
  if (isJxl(bytes)) {
    const header = { format: 'jxl', width: 0, height: 0, frames: 1 };
    return { ...header, hasAlpha: true, isPlainRaster: false };
  }
  const found = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      if (isHeic(bytes)) throw new ImageFault(HEIC);
      const line = firstLine(error);
      throw new ImageFault(
        line.includes('unsupported image format')
          ? 'its content is not an image that can be read'
          : `its header is damaged (${line})`,
      );
    });
  if (found.compression === 'hevc' || isHeic(bytes)) throw new ImageFault(HEIC);
  if (found.depth !== 'uchar' && found.depth !== 'ushort') {
    throw new ImageFault(
      `its pixels are ${found.depth} numbers, whose range no file tells: save it with 8 or 16 bits a channel`,
    );
  }
  return {
    format: found.format,
    width: found.width,
    height: found.pageHeight ?? found.height,
    frames: framesOf(bytes, found),
    hasAlpha: found.hasAlpha,
    isPlainRaster: found.format !== 'svg',
  };
}

/** Pages of a TIFF are no frames, and sharp sees none in a PNG. */
function framesOf(bytes: Uint8Array, { format, pages = 1 }: Metadata): number {
  if (format === 'png') return countPngFrames(bytes);
  return format === 'tiff' ? 1 : pages;
}

const HEIC =
  'HEIC (HEVC) is not read: save it as JPEG or PNG (on an iPhone: Settings, Camera, Formats, Most Compatible)';

/** Whether one of its brands is of ISO/IEC 23008-12 and says that HEVC codes its images. */
function isHeic(bytes: Uint8Array): boolean {
  if (latin1(bytes, 4, 8) !== 'ftyp') return false;
  const box = latin1(bytes, 8, Buffer.from(bytes.subarray(0, 4)).readUInt32BE());
  return (box.match(/.{4}/gs) ?? []).some((brand) => /^(hei[cxms]|hev[cxms])$/.test(brand));
}

const latin1 = (bytes: Uint8Array, from: number, to: number) =>
  Buffer.from(bytes.subarray(from, to)).toString('latin1');
