import type { Handler } from 'hono';
import { noParameters, readParameters } from '../parameters.ts';

/** `GET /healthz`: the server answers; says nothing of the generator, and loads none. */
export const healthz: Handler = (c) => {
  readParameters(noParameters, c.req.url);
  return c.json({ status: 'ok' }, 200, { 'Cache-Control': 'no-store' });
};
