import { seedToLatent } from '@killme/model';
import type { Handler } from 'hono';
import { entityTag, FOR_EVER, respond } from '../caching.ts';
import { encodePng } from '../encode.ts';
import type { Generator } from '../generator.ts';
import { canonicalQuery, imgParameters, readParameters } from '../parameters.ts';

/** `GET /img?seed=`: the character of a seed; without one, a redirect to a random one. */
export function img(loadGenerator: () => Promise<Generator>): Handler {
  return async (c) => {
    const { seed, ...options } = readParameters(imgParameters, c.req.url);
    if (seed === undefined) {
      // Relative, because a proxy may have put the app under another host and path.
      const given = new URL(c.req.url).search.replace('?', '&');
      const location = `?seed=${randomSeed()}${given}`;
      return c.body(null, 302, { Location: location, 'Cache-Control': 'no-store' });
    }
    const generator = await loadGenerator();
    return respond({
      request: c.req.raw,
      tag: await entityTag(generator.hash, 'img', canonicalQuery({ seed, ...options })),
      cacheControl: FOR_EVER,
      contentType: 'image/png',
      make: () => encodePng(generator.draw(seedToLatent(seed, generator.latentSpace))),
    });
  };
}

/** 50 bits in ten letters and digits that are not mistaken for each other. */
function randomSeed(): string {
  const alphabet = '23456789abcdefghjkmnpqrstuvwxyz0'; // 32 of them
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => alphabet[byte & 31]).join(
    '',
  );
}
