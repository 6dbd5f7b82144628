import { mix as mixLatents, moveLatent } from '@killme/model';
import { createFactory } from 'hono/factory';
import { readMoves, writeMoves } from '../generator/latents.ts';
import type { Models } from '../generator/registry.ts';
import { mixParameters, query } from '../http/query.ts';
import type { ImageResponder } from '../render/render.ts';

/** `GET /mix?plus=a,b&minus=c`: latent arithmetic, one character out of several; and from there along directions. */
export const mix = (responder: ImageResponder, models: Models) =>
  createFactory().createHandlers(query(mixParameters), async (c) => {
    const parameters = c.req.valid('query');
    const { plus, minus = [], move, format } = parameters;
    const model = await models.find(parameters.model);
    const { manifest } = await model.describe();
    const moves = readMoves(move ?? [], manifest);
    return responder.respond({
      context: c,
      model,
      route: 'mix',
      parameters: { ...parameters, move: writeMoves(move) },
      pictures: 1,
      words: ['mix', ...plus, ...minus.flatMap((seed) => ['minus', seed])],
      async make({ latentOf, toClass, renderLatents, encodeStill }) {
        const sum = mixLatents({ plus: plus.map(latentOf), minus: minus.map(latentOf) });
        const latent = toClass(sum); // as many minus as plus would leave none
        const [picture] = await renderLatents([moveLatent(latent, moves, manifest.latent)]);
        return encodeStill(picture!, format);
      },
    });
  });
