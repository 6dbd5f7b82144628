/**
 * The image server that this page comes from.
 *
 * @module
 */
import { createClient } from '../client.ts';

/** Its address: a proxy may serve it under any path. */
export const BASE = new URL('.', document.baseURI).href;

export const server = createClient(BASE);

/**
 * What the server knows of its generator, asked for once.
 * @throws Error when it does not answer.
 */
export const model = server.model.$get().then((response) => {
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
});
