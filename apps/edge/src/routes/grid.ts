import { seedToLatent, tile } from '@killme/model';
import { createFactory } from 'hono/factory';
import { drawAll, respondWithPictures } from '../drawing.ts';
import { encodePng } from '../encode.ts';
import type { Generator } from '../generator.ts';
import { gridParameters, query } from '../parameters.ts';
import { redirectToRandomSeed } from './random-seed.ts';

/**
 * `GET /grid?seed=&n=`: a contact sheet of n × n characters, in rows: those of the seeds `<seed>/0`,
 * `<seed>/1` …, each of which `/img` knows too.
 */
export const grid = (loadGenerator: () => Promise<Generator>) =>
  createFactory().createHandlers(query(gridParameters), async (c) => {
    const { seed, ...options } = c.req.valid('query');
    if (seed === undefined) return redirectToRandomSeed(c);
    const generator = await loadGenerator();
    const { n } = options;
    return respondWithPictures({
      context: c,
      generator,
      route: 'grid',
      parameters: { seed, ...options },
      pictures: n * n,
      words: ['grid', seed],
      async make(size) {
        const latents = Array.from({ length: n * n }, (_, i) =>
          seedToLatent(`${seed}/${i}`, generator.latentSpace),
        );
        return encodePng(tile(await drawAll(generator, latents, size), n));
      },
    });
  });
