/**
 * The image server that this page comes from.
 *
 * @module
 */
import { createClient } from '../client.ts';

/** Its address: a proxy may serve it under any path. */
export const BASE = new URL('.', document.baseURI).href;

/**
 * Where the generator is that this page is of, from there: `v/<pin>/`. All of the page is pinned, so that
 * it shows one generator even while the server gets another, and what is taken along lasts.
 */
export const PINNED = document.querySelector<HTMLMetaElement>('meta[name=pinned]')?.content ?? './';

/** Addresses of its routes. */
export const server = createClient(new URL(PINNED, BASE).href);

/**
 * What the server knows of that generator, asked for once.
 * @throws Error when it does not answer.
 */
export const model = server.model();
