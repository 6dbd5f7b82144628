import { moveLatent, type Picture } from '@killme/model';
import { decode } from 'fast-png';
import { createFactory } from 'hono/factory';
import type { Drawing } from '../drawing.ts';
import { readLatent, readMoves, writeMoves } from '../latents.ts';
import type { Models } from '../models.ts';
import { imgParameters, query } from '../parameters.ts';
import { resample } from '../resample.ts';
import { redirectToRandomSeed } from './random-seed.ts';

/** `GET /img?seed=` or `?z=`: the character of a seed or latent; without one, a redirect to a random seed. */
export const img = (drawing: Drawing, models: Models) =>
  createFactory().createHandlers(query(imgParameters), async (c) => {
    const { seed, z, move, ...options } = c.req.valid('query');
    if (seed === undefined && z === undefined) return redirectToRandomSeed(c);
    const model = await models.find(options.model);
    const request = {
      ...{ context: c, model, route: 'img' },
      ...{ pictures: 1, words: [seed ?? 'latent'] },
    };
    const gallery = await model.loadGallery();
    // A gallery has each seed in its own class only.
    const asIs = move === undefined && options.class === undefined;
    if (gallery && seed !== undefined && asIs) {
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
    const { manifest } = await model.describe();
    const latent = z === undefined ? undefined : readLatent('z', z, manifest.latent);
    const moves = readMoves(move ?? [], manifest);
    return drawing.respond({
      ...request,
      parameters: { seed, z, move: writeMoves(move), ...options },
      async make({ latentOf, drawAll, encodeStill }) {
        const place = moveLatent(latent ?? latentOf(seed!), moves, manifest.latent);
        const [picture] = await drawAll([place]);
        return encodeStill(picture!, options.format);
      },
    });
  });

function toPicture(png: Uint8Array): Picture {
  const { width, height, data } = decode(png);
  return { width, height, data: Uint8Array.from(data) };
}
