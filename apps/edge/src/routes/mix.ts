import { mix as mixLatents } from '@killme/model';
import { createFactory } from 'hono/factory';
import type { Drawing } from '../drawing.ts';
import { mixParameters, query } from '../parameters.ts';

/** `GET /mix?plus=a,b&minus=c`: latent arithmetic, one character out of several. */
export const mix = (drawing: Drawing) =>
  createFactory().createHandlers(query(mixParameters), async (c) => {
    const parameters = c.req.valid('query');
    const { plus, minus = [], format } = parameters;
    return drawing.respond({
      context: c,
      route: 'mix',
      parameters,
      pictures: 1,
      words: ['mix', ...plus, ...minus.flatMap((seed) => ['minus', seed])],
      async make({ latentOf, drawAll, encodeStill }) {
        const latent = mixLatents({ plus: plus.map(latentOf), minus: minus.map(latentOf) });
        const [picture] = await drawAll([latent]);
        return encodeStill(picture!, format);
      },
    });
  });
