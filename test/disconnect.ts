import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';

/** Longer than a walk of 64 steps takes on a busy machine. */
const PATIENCE_MS = 60_000;

/** Asks for a long walk, hangs up in the middle, and looks on at how the server goes on. */
export async function expectWorkToStop(origin: string): Promise<void> {
  await (await fetch(`${origin}/img?seed=first`)).arrayBuffer(); // what takes long is loaded now
  const before = await progress(origin);
  const { hostname, port } = new URL(origin);
  const client = connect(Number(port), hostname);
  client.on('error', () => undefined);
  client.write(`GET /morph?from=a&to=b&steps=64&size=200 HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  await until(origin, ({ rendered }) => rendered >= before.rendered + 3);
  // A reset: a client that only closes its side may still be listening, for all that HTTP/1.1 says.
  client.resetAndDestroy();
  const after = await until(origin, ({ pending }) => pending === 0);
  expect(after.rendered - before.rendered).toBeLessThan(64);
  const next = await fetch(`${origin}/img?seed=next`);
  expect([next.status, next.headers.get('content-type')]).toEqual([200, 'image/png']);
  await next.arrayBuffer();
  expect(await progress(origin)).toEqual({ rendered: after.rendered + 1, pending: 0 });
}

interface Progress {
  rendered: number;
  pending: number;
}

async function progress(origin: string): Promise<Progress> {
  const health = (await (await fetch(`${origin}/healthz`)).json()) as { pictures: Progress };
  return health.pictures;
}

async function until(origin: string, reached: (now: Progress) => boolean): Promise<Progress> {
  const giveUp = Date.now() + PATIENCE_MS;
  for (;;) {
    const now = await progress(origin);
    if (reached(now)) return now;
    if (Date.now() > giveUp) throw new Error(`it stays at ${JSON.stringify(now)}`);
    await wait(5);
  }
}
