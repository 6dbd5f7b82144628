/**
 * A typed client of the image server.
 *
 * @module
 */
import { hc } from 'hono/client';
import type { Api } from './app.ts';

export { joinSeeds } from './http/seed-list.ts';

/**
 * Requests and addresses of the routes, with the types of their parameters.
 * @param base where the server is, `https://example.com/`, or one of its generators is for ever,
 *   `https://example.com/v/<pin>/`
 * @example
 * const client = createClient('http://localhost:8787');
 * image.src = client.img.$url({ query: { seed: 'alice' } }).href;
 * const { training } = await (await client.model.$get({ query: {} })).json();
 */
export const createClient = (base: string) => hc<Api>(base);

/**
 * What a server knows of a generator now: what an older one said, and a cache has kept, does not go with
 * the pictures of this one.
 * @param server pinned, or its first generator is meant
 * @throws Error when it does not answer.
 */
export async function askModel(server: ReturnType<typeof createClient>) {
  const response = await server.model.$get({ query: {} }, { init: { cache: 'no-cache' } });
  if (!response.ok) throw new Error(`the server does not tell its model (${response.status})`);
  return response.json();
}
