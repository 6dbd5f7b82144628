import { createFactory } from 'hono/factory';
import { noParameters, query } from '../parameters.ts';

/** `GET /healthz`: the server answers; says nothing of the generator, and loads none. */
export const healthz = createFactory().createHandlers(query(noParameters), (c) =>
  c.json({ status: 'ok' } as const, 200, { 'Cache-Control': 'no-store' }),
);
