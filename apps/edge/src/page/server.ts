/**
 * The image server that this page comes from.
 *
 * @module
 */
import { askModel, createClient } from '../client.ts';

/** Its address: a proxy may serve it under any path. */
export const BASE = new URL('.', document.baseURI).href;

export const server = createClient(BASE);

const named = new URLSearchParams(location.search).get('model');

/** The generator that this page is of, as a query has it: its own address names it, or leaves it to the server. */
export const chosenModel: { model?: string } = named === null ? {} : { model: named };

/**
 * What the server knows of that generator, asked for once.
 * @throws Error when it does not answer.
 */
export const model = askModel(server, chosenModel);
