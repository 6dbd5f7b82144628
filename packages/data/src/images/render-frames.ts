import sharp from 'sharp';
import { decodeApngFrames } from './apng.ts';
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
  const count = frames === 'all' ? header.frames : 1;
  const inputs = await inputsOf(bytes, header, count);
  const decoded: Uint8Array[] = [];
  for (const { input, ...layout } of inputs) {
    const { data, info } = await sharp(input, {
      ...layout,
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

/** What sharp takes for each of the first `count` frames. */
async function inputsOf(bytes: Uint8Array, header: ImageHeader, count: number) {
  const { format, width, height, frames } = header;
  if (format === 'png' && count > 1) {
    const shown = await decodeApngFrames(bytes, header).catch((error: unknown) => {
      throw new ImageFault(`damaged or cut short (${firstLine(error)})`);
    });
    return shown.map((input) => ({ input, raw: { width, height, channels: 4 as const } }));
  }
  const given = await toSharpInput(bytes, header);
  if (frames === 1 || format === 'png') return [given];
  return Array.from({ length: count }, (_, page) => ({ ...given, page }));
}

function svgDensity({ format, width, height }: ImageHeader, size: number): number {
  if (format !== 'svg') return SVG_DENSITY.default;
  const zoom = Math.max(1, size / Math.min(width, height));
  return Math.min(SVG_DENSITY.max, SVG_DENSITY.default * zoom);
}
