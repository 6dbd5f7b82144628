import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import type { Random } from '@killme/model';
import { z } from 'zod';
import { mutate, pick } from './mutate.ts';

/** Slower than the dearest request that is allowed, on a busy machine. */
const MAX_SECONDS = 60;

/** A server may wait for the rest of a head that has none. */
const SILENT_MS = 300;

/** A server's own answers to a method, a version or a load that it does not take. */
const NOT_HERE = new Set([501, 503, 505]);

/** What is read of an OpenAPI document. */
const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z
      .object({
        get: z.object({
          parameters: z
            .array(
              z.object({
                name: z.string(),
                in: z.enum(['query', 'path', 'header']),
                schema: z.looseObject({ enum: z.array(z.unknown()).optional() }).optional(),
                example: z.unknown().optional(),
              }),
            )
            .default([]),
        }),
      })
      .loose(),
  ),
});

const VALUES = [
  ...['', '0', '1', '2', '-1', '64', '65', '1e9', '1.5', 'NaN', 'null', 'png', 'gif', 'json'],
  ...['a', 'a,b', ',', 'é', '\u0000', '%', '%00', '../../etc/passwd', '<script>alert(1)</script>'],
  ...['A'.repeat(134), 'x'.repeat(300), '🙂'.repeat(300), '$', '\r\nX-Evil: 1', '__proto__'],
];
const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'];
const HEADERS: readonly Record<string, string>[] = [
  {},
  { 'if-none-match': '*' },
  { 'if-none-match': '"x", W/"y"' },
  { range: 'bytes=0-0' },
  { accept: 'image/webp' },
  { origin: 'null' },
  { 'x-forwarded-proto': 'javascript' },
];

/** What answers requests, as Hono's `app.request` does. */
interface App {
  request(path: string, init?: RequestInit): Response | Promise<Response>;
}

/** A server as an app. Paths reach it as they are written, which `fetch` would not do. */
export const overHttp = (origin: string): App => ({
  async request(path, { method, headers } = {}) {
    const { hostname, port } = new URL(origin);
    const given = Object.fromEntries(new Headers(headers));
    const sent = request({ hostname, port, path, method, headers: given }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const body = Buffer.concat(await answer.toArray());
    const { statusCode: status = 0, headersDistinct } = answer;
    const received = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    );
    return new Response(hasNoBody(status) ? null : body, { status, headers: received });
  },
});

const hasNoBody = (status: number) => status === 204 || status === 304;

/** A request's head that is damaged, on a connection of its own: the server has to outlive it. */
export async function attackConnection(app: App, origin: string, random: Random): Promise<void> {
  const { hostname, port } = new URL(origin);
  const path = pick(random, ['/', '/img?seed=a', '/morph?from=a&to=b&steps=3', '/healthz']);
  const head = `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nIf-None-Match: "x"\r\n\r\n`;
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined); // a reset is an answer too
  socket.setTimeout(SILENT_MS, () => socket.destroy());
  const closed = once(socket, 'close');
  socket.end(mutate(Buffer.from(head), random));
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString('latin1');
  });
  await closed;
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
  if (status >= 500 && !NOT_HERE.has(status)) {
    throw new Error(`${status}: a damaged head of GET ${path}`);
  }
  const health = await app.request('/healthz');
  if (health.status !== 200) throw new Error(`unwell after a damaged head of GET ${path}`);
}

/** Requests to every path of the app's own OpenAPI document, with good and bad parameters. */
export async function createHttpAttack(app: App): Promise<(random: Random) => Promise<void>> {
  const { paths } = documentSchema.parse(await (await app.request('/openapi.json')).json());
  const routes = Object.entries(paths);
  return async (random) => {
    const [template, { get }] = pick(random, routes);
    let path = template;
    const query = new URLSearchParams();
    for (const { name, in: place, schema, example } of get.parameters) {
      const good = schema?.enum?.map(String) ?? (example === undefined ? ['a'] : [String(example)]);
      const value = pick(random, pick(random, [good, good, VALUES]));
      if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(value));
      else if (place === 'query' && random.integers(1, 3)[0] === 0) query.append(name, value);
    }
    if (random.integers(1, 10)[0] === 0) query.append(pick(random, VALUES), pick(random, VALUES));
    const init = { method: pick(random, METHODS), headers: pick(random, HEADERS) };
    await checkAnswer(app, `${path}?${query}`, init);
  };
}

/** @throws what is wrong with the answer, and which request got it. */
async function checkAnswer(
  app: App,
  path: string,
  init: { method: string; headers: Record<string, string> },
): Promise<void> {
  const what = `${init.method} ${path} ${JSON.stringify(init.headers)}`;
  const began = performance.now();
  const response = await app.request(path, init);
  const body = Buffer.from(await response.arrayBuffer());
  const seconds = (performance.now() - began) / 1000;
  if (response.status >= 500 && response.status !== 503) {
    throw new Error(`${response.status}: ${what}`);
  }
  if (seconds > MAX_SECONDS) throw new Error(`${seconds.toFixed(0)} s: ${what}`);
  if (response.headers.has('x-evil')) throw new Error(`a header was injected: ${what}`);
  if (response.status < 400 || body.length === 0) return;
  const text = body.toString();
  if (/\/(home|root|tmp|work)\/|node_modules|\n {4}at /.test(text)) {
    throw new Error(`the answer names a path or a stack: ${what}`);
  }
  const isHtml = response.headers.get('content-type')?.includes('html');
  if (isHtml && text.includes('<script>alert')) throw new Error(`a script in a page: ${what}`);
}
