import { tile } from '@killme/model';
import { createFactory } from 'hono/factory';
import type { z } from 'zod';
import { seedLatents } from '../generator/latents.ts';
import { gridParameters } from '../http/parameters.ts';
import { query } from '../http/query.ts';
import type { ImageResponder } from '../render/image-responder.ts';
import { fileNameOf, identityOf, type PicturePlan, type PlannedFor } from '../render/plan.ts';
import { area, sizeOfEach } from '../render/size.ts';
import { askedOf } from './asked.ts';
import { redirectToRandomSeed } from './random-seed.ts';

type GridParameters = z.infer<typeof gridParameters>;

/**
 * `GET /grid?seed=&n=`: a contact sheet of n × n characters, in rows: those of the seeds `<seed>/0`,
 * `<seed>/1` …, each of which `/img` renders too.
 */
export const grid = ({ respond }: ImageResponder) =>
  createFactory().createHandlers(query(gridParameters), async (c) => {
    const { seed, ...options } = c.req.valid('query');
    if (seed === undefined) return redirectToRandomSeed(c);
    return respond(askedOf(c), { seed, ...options }, planGrid);
  });

function planGrid(
  parameters: GridParameters & { seed: string },
  generator: PlannedFor,
): PicturePlan {
  const { seed, n } = parameters;
  const { latentOf } = seedLatents(parameters.class, generator);
  const count = n * n;
  const size = sizeOfEach(parameters.size, count, generator.manifest.image);
  return {
    route: 'grid',
    identity: identityOf(parameters, { size, own: generator.manifest.image }),
    title: seed,
    pictures: {
      from: 'generator',
      sizes: Array.from({ length: count }, () => size),
      latents: () => Array.from({ length: count }, (_, i) => latentOf(`${seed}/${i}`)),
    },
    encoded: { pictures: 1, pixels: count * area(size) },
    output: { format: parameters.format, compose: (pictures) => tile(pictures, n) },
    fileName: fileNameOf(parameters, ['grid', seed]),
  };
}
