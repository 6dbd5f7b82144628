import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createApp, diskOptions, nameFolder } from '@killme/edge';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeContract, optionsOf } from '../contract.ts';
import { expectWorkToStop } from '../disconnect.ts';
import { expectGeneratorsRefused } from '../refused-generators.ts';
import {
  expectRefusal,
  expectServer,
  type Server,
  startWorkerd,
  writeRandomGenerator,
} from '../servers.ts';
import { type BareServer, startBareWorkerd } from './bare.ts';

describeContract({
  name: 'workerd',
  async start(served) {
    const { origin, stop } = expectServer(await startWorkerd(...optionsOf(served)));
    return { fetch: (path, init) => fetch(origin + path, init), stop };
  },
});

it('workerd refuses a damaged generator, one that cannot render, and a port in use, with one line, and ends at SIGTERM', async () => {
  const { folder, remove } = await writeRandomGenerator();
  const server = expectServer(await startWorkerd(folder));
  try {
    const second = await expectRefusal(
      await startWorkerd(folder, Number(new URL(server.origin).port)),
    );
    expect(second).toMatchObject({
      status: 1,
      output: expect.stringMatching(/^.*port.* is in use: .*\n$/),
    });
    expect(await server.terminate()).toBe(0);
  } finally {
    await server.stop();
  }
  const shard = `${folder}/weights-0.bin`;
  const bytes = await readFile(shard);
  bytes[1000]! ^= 1;
  await writeFile(shard, bytes);
  await expectGeneratorsRefused(startWorkerd, folder).finally(remove);
}, 120_000);

describe('workerd by itself', () => {
  let generator: Awaited<ReturnType<typeof writeRandomGenerator>>;
  let server: BareServer;

  beforeAll(async () => {
    generator = await writeRandomGenerator({ imageSize: 64 });
    server = await startBareWorkerd(generator.folder);
  });

  afterAll(async () => {
    await server?.stop();
    await generator?.remove();
  });

  const get = (path: string) => fetch(server.origin + path);
  const progress = async () => {
    const health = (await (await get('/healthz')).json()) as {
      pictures: { rendered: number; pending: number };
    };
    return health.pictures;
  };

  it('needs no weights to say that a picture is the same, and takes them when they are there', async () => {
    const node = createApp(diskOptions([nameFolder(generator.folder)]));
    const tag = (await node.request('/img?seed=same', { method: 'HEAD' })).headers.get('etag')!;
    const weights = `${server.assets}/generators/${nameFolder(generator.folder).name}/weights-0.bin`;
    await rename(weights, `${weights}.away`);
    const same = await fetch(`${server.origin}/img?seed=same`, {
      headers: { 'If-None-Match': tag },
    });
    expect([same.status, await same.text()]).toEqual([304, '']);
    expect((await get('/model')).status).toBe(200);
    const rendered = await get('/img?seed=same');
    expect([rendered.status, rendered.headers.get('retry-after')]).toEqual([503, '30']);
    await rename(`${weights}.away`, weights);
    expect((await get('/img?seed=same')).status).toBe(200);
  });

  it('renders nothing with weights that are damaged or cut short, and renders right once they are whole', async () => {
    const fresh = await startBareWorkerd(generator.folder);
    try {
      const shard = `${fresh.assets}/generators/${nameFolder(generator.folder).name}/weights-0.bin`;
      const whole = await readFile(shard);
      const damaged = Buffer.from(whole);
      damaged[damaged.length - 1]! ^= 1;
      for (const bytes of [damaged, whole.subarray(0, -1), Buffer.concat([whole, whole])]) {
        await writeFile(shard, bytes);
        const refused = await fetch(`${fresh.origin}/img?seed=whole`);
        expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
        expect(await refused.json()).toMatchObject({
          detail: expect.stringMatching(/weights-0\.bin is damaged/),
        });
      }
      await writeFile(shard, whole);
      const node = createApp(diskOptions([nameFolder(generator.folder)]));
      const rendered = await bytesOf(await fetch(`${fresh.origin}/img?seed=whole`));
      expect(rendered.equals(await bytesOf(await node.request('/img?seed=whole')))).toBe(true);
    } finally {
      await fresh.stop();
    }
  });

  it.each(['a b', '[', 'a:99999'])('refuses a Host that is none: %s', async (host) => {
    const { hostname, port } = new URL(server.origin);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /img?seed=a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const answer = Buffer.concat(await socket.toArray()).toString('latin1');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('renders no more for a client that has disconnected', () => expectWorkToStop(server.origin));

  it('answers two hundred at once as it would one after the other, and others between them', async () => {
    const paths = Array.from({ length: 200 }, (_, i) => `/img?seed=at-once-${i}`);
    const all = Promise.all(paths.map(async (path) => bytesOf(await get(path))));
    // Were they rendered in the order in which they came in, nobody would ever see that they wait.
    await vi.waitUntil(async () => (await progress()).pending > 1, PATIENCE);
    const answers = await all;
    const node = createApp(diskOptions([nameFolder(generator.folder)]));
    for (const [i, path] of paths.entries()) {
      expect(answers[i]!.equals(await bytesOf(await node.request(path))), path).toBe(true);
    }
  });

  it.runIf(process.platform === 'linux')(
    'streams a generator’s files to clients that do not read',
    async () => {
      const file = `${server.assets}/generators/${nameFolder(generator.folder).name}/weights-0.bin`;
      await rename(file, `${file}.away`);
      await writeFile(file, Buffer.alloc(32e6));
      const { hostname, port } = new URL(server.origin);
      const before = await residentMb(server.processId);
      const clients = Array.from({ length: 40 }, () => connect(Number(port), hostname));
      const request = `GET /generator/weights-0.bin HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`;
      for (const client of clients) client.write(request);
      // Each has the beginning, and stops there.
      await Promise.all(clients.map((client) => once(client, 'readable')));
      expect((await get('/healthz')).status).toBe(200);
      expect((await residentMb(server.processId)) - before).toBeLessThan(200); // of 1,280
      for (const client of clients) client.destroy();
      await rename(`${file}.away`, file);
    },
  );

  it('renders once what several ask for at once, also when the first of them disconnects', async () => {
    const rendered = async () => (await progress()).rendered;
    const before = await rendered();
    const path = '/morph?from=once&to=for-all&steps=64';
    const { hostname, port } = new URL(server.origin);
    const first = connect(Number(port), hostname);
    first.on('error', () => undefined);
    first.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
    await vi.waitUntil(async () => (await rendered()) > before, PATIENCE);
    const others = Array.from({ length: 8 }, () => get(path));
    first.resetAndDestroy();
    const bodies = await Promise.all(
      others.map(async (answer) => {
        const { status } = await answer;
        return { status, bytes: await bytesOf(await answer) };
      }),
    );
    for (const { status, bytes } of bodies) {
      expect(status).toBe(200);
      expect(bytes.equals(bodies[0]!.bytes)).toBe(true);
    }
    const node = createApp(diskOptions([nameFolder(generator.folder)]));
    expect(bodies[0]!.bytes.equals(await bytesOf(await node.request(path)))).toBe(true);
    // Unless the first was given up before the others came, which then rendered anew: once.
    expect((await rendered()) - before).toBeLessThan(2 * 64);
  });

  it('renders no more than it can, and says when to come again', async () => {
    const walks = Array.from(
      { length: 32 },
      (_, i) => `/morph?from=much&to=${i}&steps=64&size=221`,
    );
    const clients = new AbortController();
    const answers = walks.map((path) => fetch(server.origin + path, { signal: clients.signal }));
    const refused = await Promise.any(
      answers.map(async (answer) => {
        if ((await answer).status !== 503) throw new Error('it was accepted');
        return answer;
      }),
    );
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    clients.abort();
    await Promise.allSettled(answers);
    expect((await get('/img?seed=afterwards')).status).toBe(200);
  });
});

describe('workerd with a bucket and a limit', () => {
  let generator: Awaited<ReturnType<typeof writeRandomGenerator>>;
  let server: Server;

  beforeAll(async () => {
    generator = await writeRandomGenerator({ imageSize: 64 });
    const config = `${generator.folder}/wrangler.jsonc`;
    await writeFile(config, withBindings(await readFile(`${EDGE}/wrangler.jsonc`, 'utf8')));
    const options = ['--config', config, '--host', '0.0.0.0'];
    server = expectServer(await startWorkerd(generator.folder, undefined, options));
  });

  afterAll(async () => {
    await server?.stop();
    await generator?.remove();
  });

  it('says who can use wrangler’s tools when others reach it', async () => {
    await vi.waitUntil(() => server.printed().includes('/cdn-cgi/explorer'), PATIENCE);
    expect(server.printed().match(/^Everybody who reaches this host can use .*$/gm)).toHaveLength(
      1,
    );
  });

  it('renders a picture once for all hosts', async () => {
    const path = '/img?seed=kept&size=100';
    const first = await getFrom('localhost', path);
    expect(first.source).toBe('rendered');
    await vi.waitFor(async () => {
      expect((await getFrom('localhost', path, 'HEAD')).source).toBe('cache');
    }, PATIENCE);
    for (const host of ['localhost', 'other.example']) {
      const again = await getFrom(host, '/img?size=100&format=png&&seed=kept');
      expect(again.source).toBe('cache');
      expect(again.bytes.equals(first.bytes)).toBe(true);
      expect(again.type).toBe('image/png');
    }
    const health = await (await fetch(`${server.origin}/healthz`)).json();
    expect(health).toMatchObject({ pictures: { rendered: 1, pending: 0 } });
  });

  it('limits what is rendered for one address, not what is sent', async () => {
    const statuses = new Set<number>();
    // More than two minutes allow, for one may end among them.
    for (let i = 0; i < 2 * RENDERINGS + 1; i++) {
      const answer = await fetch(`${server.origin}/img?seed=more-${i}`);
      statuses.add(answer.status);
      if (answer.status === 429) expect(answer.headers.get('retry-after')).toBe('60');
      await answer.arrayBuffer();
    }
    expect(statuses).toEqual(new Set([200, 429]));
    expect((await getFrom('localhost', '/img?seed=kept&size=100')).source).toBe('cache');
  });

  /** As a client that knows the server by another name. */
  async function getFrom(host: string, path: string, method = 'GET') {
    const { port } = new URL(server.origin);
    const [answer] = (await once(
      request({
        ...{ host: 'localhost', port, path, method },
        headers: { Host: `${host}:${port}` },
      }).end(),
      'response',
    )) as [IncomingMessage];
    const { 'killme-source': source, 'content-type': type } = answer.headers;
    return { source, type, bytes: Buffer.concat(await answer.toArray()) };
  }
});

/** What a process has in memory, as Linux says. */
const residentMb = async (processId: number) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${processId}/status`, 'utf8'))![1]) /
  1000;

/** What is kept is kept behind the answer. */
const PATIENCE = { timeout: 30_000, interval: 20 };

const EDGE = fileURLToPath(new URL('../../apps/edge', import.meta.url));

/** So few, for a test; the configuration says 300. */
const RENDERINGS = 5;

/** The configuration with the lines of both bindings in force, as a person would do it. */
function withBindings(config: string): string {
  const active = config
    .replace(/^( *)\/\/ (?="r2_buckets")/m, '$1')
    .replace(/^( *)\/\/ ("ratelimits": \[\n) *\/\/ (.*\n) *\/\/ (\],)/m, '$1$2$3$4');
  expect(active).toMatch(/^ *"r2_buckets"/m);
  expect(active).toMatch(/^ *"ratelimits"/m);
  return active
    .replace('"limit": 300', `"limit": ${RENDERINGS}`)
    .replace(
      '"src/runtimes/workerd/worker.ts"',
      JSON.stringify(`${EDGE}/src/runtimes/workerd/worker.ts`),
    );
}

const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
