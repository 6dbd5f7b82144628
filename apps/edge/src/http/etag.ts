import { createMiddleware } from 'hono/factory';

/** Pinned answers: the address names the generator by its hash, so it never gets other bytes. */
export const FOR_EVER = 'public, max-age=31536000, immutable';

/**
 * Pictures whose address does not say of which generator: ten minutes, and fifty more while a cache
 * asks behind the answer (RFC 5861), so that another generator reaches every browser within the hour.
 */
export const AN_HOUR = 'public, max-age=600, stale-while-revalidate=3000';

/**
 * Kept, but asked about each time: files that only go together, as those of the page and of the
 * generator do, so that nobody mixes an old one with a new one.
 */
export const ASK_AGAIN = 'no-cache';

/**
 * Answers that stand by themselves and change only with a deployment: sent from a cache without
 * asking for a minute, and for a day more while it asks behind the answer (RFC 5861).
 */
export const FRESH_ENOUGH = 'public, max-age=60, stale-while-revalidate=86400';

/**
 * Counts changes of the code that change the bytes of a picture (layout, encoder settings), which
 * the generator's hash does not tell.
 */
export const RENDERING = 6;

/**
 * A strong entity tag for what is made from these parts alone.
 * @param parts what determines the bytes: the generator's hash, the route, the canonical query.
 */
export async function entityTag(...parts: readonly string[]): Promise<string> {
  return tagOfBytes(new TextEncoder().encode([RENDERING, ...parts].join('\n')));
}

/** A strong entity tag of an answer's bytes themselves. */
export async function tagOfBytes(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).subarray(0, 16);
  return `"${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
}

/**
 * Whether an `If-None-Match` header names the tag: `*`, or one of a list, compared weakly
 * (RFC 9110, 13.1.2).
 */
export function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  // Tags may hold commas, so they are found, not split.
  return header.match(/"[^"]*"/g)?.includes(tag) ?? false;
}

/** The 304 for a client that has the answer already: its `headers` have an `ETag`. */
export function unchanged(request: Request, headers: Headers): Response | undefined {
  const tag = headers.get('ETag') ?? '';
  if (!matchesTag(request.headers.get('If-None-Match') ?? undefined, tag)) return undefined;
  return new Response(null, { status: 304, headers });
}

/**
 * Answers with what `make` makes, or without making it: 304 when the client has it already, no body
 * for HEAD.
 */
export async function respond({
  request,
  tag,
  cacheControl,
  contentType,
  headers: more = {},
  make,
}: {
  request: Request;
  tag: string;
  cacheControl: string;
  contentType: string;
  headers?: Readonly<Record<string, string>>;
  make: () => BodyInit | Promise<BodyInit>;
}): Promise<Response> {
  const headers = new Headers({ ETag: tag, 'Cache-Control': cacheControl });
  const same = unchanged(request, headers);
  if (same) return same;
  headers.set('Content-Type', contentType);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return new Response(request.method === 'HEAD' ? null : await make(), { headers });
}

/** What every answer says: anyone may embed it, and it is what its type says. */
export const OPEN_HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag, Killme-Source, Link',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'X-Content-Type-Options': 'nosniff',
};

export const openHeaders = createMiddleware(async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(OPEN_HEADERS)) c.res.headers.set(name, value);
});
