import type { Picture } from '@killme/model';
import { Pica } from 'pica/pica_main';

/**
 * Pica in plain JavaScript, in fixed-point numbers: the same bytes in every runtime. Its other
 * engines compile wasm from bytes, which workerd forbids, or ask the browser.
 */
const pica = new Pica({ features: ['js'], concurrency: 1 });

/** A picture brought to `size` × `size` with Lanczos's filter. */
export async function resample(picture: Picture, size: number): Promise<Picture> {
  const { width, height } = picture;
  if (width === size && height === size) return picture;
  const rgba = await pica.resizeBuffer({
    src: toRgba(picture),
    width,
    height,
    toWidth: size,
    toHeight: size,
    filter: 'lanczos3',
  });
  return { width: size, height: size, channels: 3, data: toRgb(rgba) };
}

/** Four bytes a pixel, all of them opaque. */
export function toRgba({ data }: Picture): Uint8Array {
  const rgba = new Uint8Array((data.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from]!;
    rgba[to + 1] = data[from + 1]!;
    rgba[to + 2] = data[from + 2]!;
  }
  return rgba;
}

function toRgb(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = rgba[from]!;
    rgb[to + 1] = rgba[from + 1]!;
    rgb[to + 2] = rgba[from + 2]!;
  }
  return rgb;
}
