import { crossFade, type Picture, seedToLatent, tile, walk } from '@killme/model';
import type { Handler } from 'hono';
import type { z } from 'zod';
import { entityTag, FOR_EVER, respond } from '../caching.ts';
import { encodePng } from '../encode.ts';
import type { Generator } from '../generator.ts';
import { canonicalQuery, morphParameters, readParameters } from '../parameters.ts';

type MorphParameters = z.infer<typeof morphParameters>;

/** `GET /morph?from=&to=&steps=`: the article's strip, one seed's character turning into another's. */
export function morph(loadGenerator: () => Promise<Generator>): Handler {
  return async (c) => {
    const parameters = readParameters(morphParameters, c.req.url);
    const generator = await loadGenerator();
    return respond({
      request: c.req.raw,
      tag: await entityTag(generator.hash, 'morph', canonicalQuery(parameters)),
      cacheControl: FOR_EVER,
      contentType: 'image/png',
      make: () => encodePng(tile(drawSteps(generator, parameters), parameters.steps)),
    });
  };
}

/** `steps` pictures, both ends included. */
function drawSteps(
  { draw, latentSpace }: Generator,
  { from: fromSeed, to: toSeed, steps, space, path }: MorphParameters,
): Picture[] {
  const from = seedToLatent(fromSeed, latentSpace);
  const to = seedToLatent(toSeed, latentSpace);
  if (space === 'latent') return walk({ from, to, steps, path }).map(draw);
  const first = draw(from);
  const last = draw(to);
  return Array.from({ length: steps }, (_, i) => crossFade(first, last, i / (steps - 1)));
}
