import { createFactory } from 'hono/factory';
import { noQuery } from '../http/query.ts';
import type { Drawing } from '../render/render.ts';

/** `GET /healthz`: the server answers, and how busy this isolate of it is; loads no generator. */
export const healthz = (drawing: Drawing) =>
  createFactory().createHandlers(noQuery, (c) =>
    c.json({ status: 'ok', pictures: drawing.progress() } as const, 200, {
      'Cache-Control': 'no-store',
    }),
  );
