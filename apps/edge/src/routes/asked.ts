import type { Context } from 'hono';
import type { Asked } from '../render/image-responder.ts';

/** What a request asks of the responder; `/v/:pin/` stands before a pinned address. */
export const askedOf = (c: Context): Asked => ({ request: c.req.raw, pin: pinIn(c) });

/** The pin in the path of a request. */
export const pinIn = (c: Context): string | undefined => c.req.param('pin');
