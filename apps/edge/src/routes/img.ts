import { seedToLatent } from '@killme/model';
import { createFactory } from 'hono/factory';
import { drawAll, respondWithPictures } from '../drawing.ts';
import type { EncodeStill } from '../encode-still.ts';
import type { Generator } from '../generator.ts';
import { imgParameters, query } from '../parameters.ts';
import { redirectToRandomSeed } from './random-seed.ts';

/** `GET /img?seed=`: the character of a seed; without one, a redirect to a random one. */
export const img = (loadGenerator: () => Promise<Generator>, encodeStill: EncodeStill) =>
  createFactory().createHandlers(query(imgParameters), async (c) => {
    const { seed, ...options } = c.req.valid('query');
    if (seed === undefined) return redirectToRandomSeed(c);
    const generator = await loadGenerator();
    return respondWithPictures({
      context: c,
      generator,
      route: 'img',
      parameters: { seed, ...options },
      pictures: 1,
      words: [seed],
      async make(size) {
        const latent = seedToLatent(seed, generator.latentSpace);
        const [picture] = await drawAll(generator, [latent], size);
        return encodeStill(picture!, options.format);
      },
    });
  });
