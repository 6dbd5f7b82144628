import { tile } from '@killme/model';
import { createFactory } from 'hono/factory';
import type { Models } from '../generator/registry.ts';
import { gridParameters, query } from '../http/query.ts';
import { encodePng } from '../images/png.ts';
import type { ImageResponder } from '../render/render.ts';
import { redirectToRandomSeed } from './random-seed.ts';

/**
 * `GET /grid?seed=&n=`: a contact sheet of n × n characters, in rows: those of the seeds `<seed>/0`,
 * `<seed>/1` …, each of which `/img` knows too.
 */
export const grid = (responder: ImageResponder, models: Models) =>
  createFactory().createHandlers(query(gridParameters), async (c) => {
    const { seed, ...options } = c.req.valid('query');
    if (seed === undefined) return redirectToRandomSeed(c);
    const { n } = options;
    return responder.respond({
      context: c,
      model: await models.find(options.model),
      route: 'grid',
      parameters: { seed, ...options },
      pictures: n * n,
      words: ['grid', seed],
      async make({ latentOf, renderLatents }) {
        const latents = Array.from({ length: n * n }, (_, i) => latentOf(`${seed}/${i}`));
        return encodePng(tile(await renderLatents(latents), n));
      },
    });
  });
