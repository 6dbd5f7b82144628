import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAnswerCache } from './answer-cache.ts';

/** What reached the app, in its order. */
const asked: string[] = [];
const cache = createAnswerCache(10_000);

/** An app whose pictures are their addresses; `/page` is none, and `/large` does not fit. */
const server = createServer(async (incoming, outgoing) => {
  if (cache.answer(incoming, outgoing)) return;
  asked.push(`${incoming.method} ${incoming.url}`);
  const headers = {
    ETag: `"${incoming.url}"`,
    'Cache-Control': 'public',
    'Content-Type': 'image/png',
    ...(incoming.url === '/page' ? {} : { 'Killme-Source': 'rendered' }),
  };
  const body = incoming.url === '/large' ? 'x'.repeat(20_000) : incoming.url!;
  const answer = await cache.keep(incoming, new Response(body, { headers }));
  outgoing.writeHead(200, [...answer.headers].flat()).end(await answer.text());
});

beforeAll(async () => {
  server.listen(0, 'localhost');
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
});

async function ask(path: string, { method = 'GET', ...headers }: Record<string, string> = {}) {
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: 'localhost', port, path, method, headers }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: Buffer.concat(await answer.toArray()).toString(),
  };
}

it('gives a picture again without asking the app, with its headers, or 304', async () => {
  expect((await ask('/img?seed=a')).headers['killme-source']).toBe('rendered');
  const again = await ask('/img?seed=a');
  expect(again).toMatchObject({ status: 200, body: '/img?seed=a' });
  expect(again.headers).toMatchObject({
    ...{ etag: '"/img?seed=a"', 'content-type': 'image/png', 'content-length': '11' },
    ...{ 'cache-control': 'public', 'killme-source': 'memory' },
  });
  const unchanged = await ask('/img?seed=a', { 'If-None-Match': 'W/"x", W/"/img?seed=a"' });
  expect(unchanged).toMatchObject({ status: 304, body: '' });
  expect(unchanged.headers).toMatchObject({ etag: '"/img?seed=a"', 'cache-control': 'public' });
  expect(unchanged.headers).not.toHaveProperty('content-type');
  expect(asked).toEqual(['GET /img?seed=a']);
});

it('leaves to the app what is no picture, too large, of another method or of no host', async () => {
  asked.length = 0;
  const twice = async (path: string, headers?: Record<string, string>) => {
    await ask(path, headers);
    await ask(path, headers);
  };
  await twice('/page');
  await twice('/large');
  await twice('/img?seed=a', { method: 'HEAD' });
  await twice('/img?seed=a', { Host: 'a:99999' });
  expect(asked).toEqual(
    ['GET /page', 'GET /large', 'HEAD /img?seed=a', 'GET /img?seed=a'].flatMap((one) => [one, one]),
  );
});
