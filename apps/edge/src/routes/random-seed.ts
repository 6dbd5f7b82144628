import type { Context } from 'hono';

/** Sends the client, uncached, to the same address with a random seed. */
export function redirectToRandomSeed(c: Context): Response {
  // Relative, because a proxy may have put the app under another host and path.
  const given = new URL(c.req.url).search.replace('?', '&');
  const location = `?seed=${randomSeed()}${given}`;
  return c.body(null, 302, { Location: location, 'Cache-Control': 'no-store' });
}

/** 50 bits in ten letters and digits that are not mistaken for each other. */
function randomSeed(): string {
  const alphabet = '23456789abcdefghjkmnpqrstuvwxyz0'; // 32 of them
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => alphabet[byte & 31]).join(
    '',
  );
}
