import type { Picture } from '@killme/model';
import { decode } from 'fast-png';
import { createFactory } from 'hono/factory';
import type { Drawing } from '../drawing.ts';
import type { Gallery } from '../gallery.ts';
import { imgParameters, query } from '../parameters.ts';
import { resample } from '../resample.ts';
import { redirectToRandomSeed } from './random-seed.ts';

/** `GET /img?seed=`: the character of a seed; without one, a redirect to a random one. */
export const img = (drawing: Drawing, loadGallery: () => Promise<Gallery | undefined>) =>
  createFactory().createHandlers(query(imgParameters), async (c) => {
    const { seed, ...options } = c.req.valid('query');
    if (seed === undefined) return redirectToRandomSeed(c);
    const request = { context: c, route: 'img', pictures: 1, words: [seed] };
    const gallery = await loadGallery();
    if (gallery) {
      const name = gallery.seedOf(seed);
      const { format, size = gallery.size } = options;
      const ready = format === 'png' && size === gallery.size;
      return drawing.respond({
        ...request,
        parameters: { seed: name, ...options },
        source: 'gallery',
        ready,
        async make(brush) {
          const png = await gallery.read(name);
          return ready ? png : brush.encodeStill(await resample(toPicture(png), size), format);
        },
      });
    }
    return drawing.respond({
      ...request,
      parameters: { seed, ...options },
      async make({ latentOf, drawAll, encodeStill }) {
        const [picture] = await drawAll([latentOf(seed)]);
        return encodeStill(picture!, options.format);
      },
    });
  });

function toPicture(png: Uint8Array): Picture {
  const { width, height, data } = decode(png);
  return { width, height, data: Uint8Array.from(data) };
}
