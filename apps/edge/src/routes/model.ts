import type { Handler } from 'hono';
import { ASK_AGAIN, entityTag, respond } from '../caching.ts';
import type { Generator } from '../generator.ts';
import { noParameters, readParameters } from '../parameters.ts';

/** `GET /model`: the facts of the loaded generator. */
export function model(loadGenerator: () => Promise<Generator>): Handler {
  return async (c) => {
    readParameters(noParameters, c.req.url);
    const { manifest, hash } = await loadGenerator();
    const { preset, latent, image, classes, training, shards } = manifest;
    const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
    return respond({
      request: c.req.raw,
      tag: await entityTag(hash, 'model'),
      cacheControl: ASK_AGAIN,
      contentType: 'application/json',
      make: () =>
        `${JSON.stringify({ preset, hash, bytes, latent, image, classes, training }, null, 2)}\n`,
    });
  };
}
