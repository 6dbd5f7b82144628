import type { Picture } from '@killme/model';
import type { AnyGenerator } from '../generator/generator.ts';
import type { Pause } from '../images/pause.ts';
import { resample } from '../images/resample.ts';
import type { GalleryPicture, RenderedPictures } from './plan.ts';

/** Renders the pictures of a plan one by one, each in a turn of its own. */
export async function renderPictures(
  { latents, sizes }: Pick<RenderedPictures, 'latents' | 'sizes'>,
  {
    render,
    pause,
    onRendered,
  }: { render: AnyGenerator['render']; pause: Pause; onRendered: () => void },
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const [i, latent] of latents().entries()) {
    if (i > 0) await pause();
    const picture = await render(latent);
    onRendered();
    pictures.push(await resample(picture, sizes[i]!));
  }
  return pictures;
}

/** Reads a picture of the gallery, and brings it to the size that is asked for. */
export async function readGalleryPicture({
  gallery,
  seed,
  size,
}: GalleryPicture): Promise<Picture> {
  // Evaluated when it is needed: its deflate builds tables that few Workers use.
  const { decode } = await import('fast-png');
  const { width, height, data } = decode(await gallery.read(seed));
  const { channels } = gallery.image;
  return resample({ width, height, channels, data: Uint8Array.from(data) }, size);
}
