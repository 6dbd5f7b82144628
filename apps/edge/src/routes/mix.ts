import { mix as mixLatents, seedToLatent } from '@killme/model';
import { createFactory } from 'hono/factory';
import { drawAll, respondWithPictures } from '../drawing.ts';
import type { EncodeStill } from '../encode-still.ts';
import type { Generator } from '../generator.ts';
import { mixParameters, query } from '../parameters.ts';

/** `GET /mix?plus=a,b&minus=c`: latent arithmetic, one character out of several. */
export const mix = (loadGenerator: () => Promise<Generator>, encodeStill: EncodeStill) =>
  createFactory().createHandlers(query(mixParameters), async (c) => {
    const parameters = c.req.valid('query');
    const { plus, minus = [] } = parameters;
    const generator = await loadGenerator();
    return respondWithPictures({
      context: c,
      generator,
      route: 'mix',
      parameters,
      pictures: 1,
      words: ['mix', ...plus, ...minus.flatMap((seed) => ['minus', seed])],
      async make(size) {
        const latents = (seeds: readonly string[]) =>
          seeds.map((seed) => seedToLatent(seed, generator.latentSpace));
        const latent = mixLatents({ plus: latents(plus), minus: latents(minus) });
        const [picture] = await drawAll(generator, [latent], size);
        return encodeStill(picture!, parameters.format);
      },
    });
  });
