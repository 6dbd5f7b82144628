/**
 * A typed client of the image server.
 *
 * @module
 */
import { hc } from 'hono/client';
import type { Api } from './app.ts';

export { joinSeeds } from './seed-list.ts';

/**
 * Requests and addresses of the routes, with the types of their parameters.
 * @param origin where the server is: `https://example.com/`; for a page's own, `location.origin`.
 * @example
 * const client = createClient('http://localhost:8787');
 * image.src = client.img.$url({ query: { seed: 'alice' } }).href;
 * const { training } = await (await client.model.$get({ query: {} })).json();
 */
export const createClient = (origin: string) => hc<Api>(origin);
