import type { Picture } from '@killme/model';
import { Pica } from 'pica/pica_main';
import { takeChannels, toRgba } from './channels.ts';

/**
 * Pica in plain JavaScript, in fixed-point numbers: the same bytes in every runtime. Its other
 * engines compile wasm from bytes, which workerd forbids, or ask the browser.
 */
const pica = new Pica({ features: ['js'], concurrency: 1 });

/** A picture brought to a size with Lanczos's filter; colours are weighted by their alpha. */
export async function resample(
  picture: Picture,
  { width: toWidth, height: toHeight }: { width: number; height: number },
): Promise<Picture> {
  const { width, height, channels } = picture;
  if (width === toWidth && height === toHeight) return picture;
  const rgba = await pica.resizeBuffer({
    src: toRgba(picture),
    width,
    height,
    toWidth,
    toHeight,
    filter: 'lanczos3',
  });
  return { width: toWidth, height: toHeight, channels, data: takeChannels(rgba, channels) };
}
