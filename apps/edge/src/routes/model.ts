import type { TypedResponse } from 'hono';
import { createFactory } from 'hono/factory';
import { ASK_AGAIN, entityTag, respond } from '../caching.ts';
import type { Generator } from '../generator.ts';
import { noParameters, query } from '../parameters.ts';

/** `GET /model`: the facts of the loaded generator. */
export const model = (loadGenerator: () => Promise<Generator>) =>
  createFactory().createHandlers(query(noParameters), async (c) => {
    const generator = await loadGenerator();
    const facts = factsOf(generator);
    const response = await respond({
      request: c.req.raw,
      tag: await entityTag(generator.hash, 'model'),
      cacheControl: ASK_AGAIN,
      contentType: 'application/json',
      make: () => `${JSON.stringify(facts, null, 2)}\n`,
    });
    // Hono's own `c.json` types its answer like this; this one may also be a 304.
    return response as Response & TypedResponse<typeof facts, 200, 'json'>;
  });

function factsOf({ manifest, hash }: Generator) {
  const { preset, latent, image, classes, training, shards } = manifest;
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  return { preset, hash, bytes, latent, image, classes, training };
}
