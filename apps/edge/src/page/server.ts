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

const [, pin] = /^v\/(.+)\/$/.exec(PINNED) ?? [];

/** Addresses of its routes, and of its files where it has a gallery. */
export const server = createClient(BASE, { pin });

/**
 * What the server knows of that generator, asked for once.
 * @throws Error when it does not answer.
 */
export const model = server.model();
