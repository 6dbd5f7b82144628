import { createFactory } from 'hono/factory';
import { noQuery } from '../http/query.ts';
import type { ImageResponder } from '../render/image-responder.ts';

/** `GET /healthz`: the server answers, and how busy this isolate of it is; loads no generator. */
export const healthz = (responder: ImageResponder) =>
  createFactory().createHandlers(noQuery, (c) =>
    c.json({ status: 'ok', pictures: responder.progress() } as const, 200, {
      'Cache-Control': 'no-store',
    }),
  );
