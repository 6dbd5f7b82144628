import type { Random } from '@killme/model';
import { z } from 'zod';
import { pick } from './mutate.ts';

/** Slower than the dearest request that is allowed, on a busy machine. */
const MAX_SECONDS = 60;

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
