import sharp from 'sharp';
import {
  type DecodeOptions,
  firstLine,
  ImageFault,
  type ImageHeader,
  MAX_PIXELS,
} from './image.ts';
import { toSharpInput } from './other-formats.ts';

/** Points an inch at which sharp renders an SVG at its own size, and the most that it allows. */
const SVG_DENSITY = { default: 72, max: 100_000 };

/** The decoding itself, without limits of its own; see {@link decodeImage}. */
export async function renderFrames(
  bytes: Uint8Array,
  header: ImageHeader,
  { size, background = '#ffffff', frames = 'first' }: DecodeOptions,
): Promise<Uint8Array[]> {
  const { input, raw } = await toSharpInput(bytes, header);
  const decoded: Uint8Array[] = [];
  const count = frames === 'all' ? header.frames : 1;
  for (let page = 0; page < count; page++) {
    const { data, info } = await sharp(input, {
      ...(raw && { raw }),
      ...(header.frames > 1 && { page }),
      failOn: 'error',
      limitInputPixels: MAX_PIXELS,
      density: svgDensity(header, size),
    })
      .autoOrient()
      .resize(size, size, { fit: 'cover', position: 'centre' })
      .flatten({ background })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
      .catch((error: unknown) => {
        throw new ImageFault(`damaged or cut short (${firstLine(error)})`);
      });
    if (info.channels !== 3) throw new Error(`sharp gave ${info.channels} channels`);
    decoded.push(data);
  }
  return decoded;
}

function svgDensity({ format, width, height }: ImageHeader, size: number): number {
  if (format !== 'svg') return SVG_DENSITY.default;
  const zoom = Math.max(1, size / Math.min(width, height));
  return Math.min(SVG_DENSITY.max, SVG_DENSITY.default * zoom);
}
