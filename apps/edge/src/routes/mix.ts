import { mix as mixLatents, moveLatent } from '@killme/model';
import { createFactory } from 'hono/factory';
import type { z } from 'zod';
import { readMoves, seedLatents, writeMoves } from '../generator/latents.ts';
import { mixParameters } from '../http/parameters.ts';
import { query } from '../http/query.ts';
import type { ImageResponder } from '../render/image-responder.ts';
import { fileNameOf, identityOf, type PicturePlan, type PlannedFor } from '../render/plan.ts';
import { area, sizeOfEach } from '../render/size.ts';
import { askedOf } from './asked.ts';

type MixParameters = z.infer<typeof mixParameters>;

/** `GET /mix?plus=a,b&minus=c`: latent arithmetic, one character out of several; and from there along directions. */
export const mix = ({ respond }: ImageResponder) =>
  createFactory().createHandlers(query(mixParameters), async (c) =>
    respond(askedOf(c), c.req.valid('query'), planMix),
  );

function planMix(parameters: MixParameters, generator: PlannedFor): PicturePlan {
  const { plus, minus = [], move = [], format } = parameters;
  const { manifest } = generator;
  const moves = readMoves(move, manifest);
  const { latentOf, toClass } = seedLatents(parameters.class, generator);
  const size = sizeOfEach(parameters.size, 1, manifest.image);
  return {
    route: 'mix',
    identity: identityOf({ ...parameters, move: writeMoves(move) }, { size, own: manifest.image }),
    title: [plus.join(' + '), ...minus].join(' − '),
    pictures: {
      from: 'generator',
      sizes: [size],
      latents() {
        const sum = mixLatents(
          { plus: plus.map(latentOf), minus: minus.map(latentOf) },
          manifest.latent,
        );
        const latent = toClass(sum); // as many minus as plus would leave none
        return [moveLatent(latent, moves, manifest.latent)];
      },
    },
    encoded: { pictures: 1, pixels: area(size) },
    output: { format, compose: ([picture]) => picture! },
    fileName: fileNameOf(parameters, ['mix', ...plus, ...minus.flatMap((seed) => ['minus', seed])]),
  };
}
