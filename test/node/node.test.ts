import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { freePort, listProcesses } from '@killme/edge/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { describeContract, optionsOf } from '../contract.ts';
import { expectWorkToStop } from '../disconnect.ts';
import {
  expectRefusal,
  expectServer,
  type Server,
  startNode,
  writeOverflowingGenerator,
  writeRandomGenerator,
} from '../servers.ts';

const QUIET = ['--access-log', 'off'];

describeContract({
  name: 'Node',
  async start(served) {
    const cache = await mkdtemp(join(tmpdir(), 'killme-cache-'));
    const [generators, port, more] = optionsOf(served);
    const options = [...more, ...QUIET, '--processes', '2', '--cache', cache];
    const { origin, stop } = expectServer(await startNode(generators, port, options));
    return {
      fetch: (path, init) => fetch(origin + path, init),
      stop: () => stop().finally(() => rm(cache, { recursive: true })),
    };
  },
});

let generator: Awaited<ReturnType<typeof writeRandomGenerator>>;
/** One process, without a store. */
let server: Server;

beforeAll(async () => {
  generator = await writeRandomGenerator({ imageSize: 64 });
  server = await startServer();
});

afterAll(async () => {
  await server?.stop();
  await generator?.remove();
});

/** With one process and without a store, unless the options say otherwise. */
async function startServer(...options: string[]): Promise<Server> {
  const all = [...QUIET, '--processes', '1', '--cache', 'off', ...options];
  return expectServer(await startNode(generator.folder, undefined, all));
}

/** For one test. */
async function serve(...options: string[]): Promise<Server> {
  const started = await startServer(...options);
  onTestFinished(async () => {
    await started.stop();
  });
  return started;
}

const get = async (server: Server, path: string) => {
  const answer = await fetch(server.origin + path);
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { bytes, status: answer.status, source: answer.headers.get('killme-source') };
};

/** Of the process that answers. */
async function progressOf(server: Server): Promise<{ rendered: number; pending: number }> {
  const { bytes } = await get(server, '/healthz');
  return JSON.parse(bytes.toString()).pictures;
}

/** The processes that a server has started. */
function processesOf({ processId }: Server): number[] {
  return listProcesses().flatMap(({ pid, parent }) => (parent === processId ? [pid] : []));
}

describe('a server of one’s own', () => {
  it('refuses a damaged generator, one that cannot render, a port in use and options that cannot be, in one line', async () => {
    const damaged = await writeRandomGenerator({ imageSize: 64 });
    onTestFinished(() => damaged.remove());
    const shard = `${damaged.folder}/weights-0.bin`;
    const bytes = await readFile(shard);
    bytes[1000]! ^= 1;
    await writeFile(shard, bytes);
    const overflowing = await writeOverflowingGenerator();
    onTestFinished(() => overflowing.remove());
    const port = Number(new URL(server.origin).port);
    const started = await Promise.all([
      startNode(damaged.folder),
      startNode(overflowing.folder),
      startNode(generator.folder, port),
      startNode(generator.folder, undefined, ['--processes', '0']),
    ]);
    const refusals = await Promise.all(started.map(expectRefusal));
    expect(refusals.map(({ status }) => status)).toEqual([1, 1, 1, 1]);
    expect(refusals[0]!.output).toMatch(/^error: weights-0\.bin is damaged .*\n$/);
    expect(refusals[1]!.output).toMatch(/^error: the generator cannot render .*\n$/);
    expect(refusals[2]!.output).toMatch(/^error: port \d+ is in use: .*\n$/);
    expect(refusals[3]!.output).toMatch(/^error: --processes must be .* from 1 to 256, not 0\n$/);
  });

  it('finds a picture by its address in memory, by another spelling on disk, after a restart too', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'killme-cache-'));
    onTestFinished(() => rm(cache, { recursive: true }));
    const first = await serve('--cache', cache);
    const rendered = await get(first, '/img?seed=a&size=64');
    expect(rendered.source).toBe('rendered');
    expect(await get(first, '/img?seed=a&size=64')).toEqual({ ...rendered, source: 'memory' });
    await vi.waitFor(async () => {
      expect((await readdir(cache, { recursive: true })).some((f) => f.endsWith('.png'))).toBe(
        true,
      );
    });
    expect(await get(first, '/img?seed=a')).toEqual({ ...rendered, source: 'disk' });
    const second = await serve('--cache', cache);
    // Before what waits for its turn to be rendered.
    const clients = new AbortController();
    const walks = Array.from({ length: 4 }, (_, i) =>
      fetch(`${second.origin}/morph?from=${i}&to=b&steps=64&size=221`, clients),
    );
    await vi.waitUntil(async () => (await progressOf(second)).pending === 4 * 64, PATIENCE);
    expect(await get(second, '/img?seed=a')).toEqual({ ...rendered, source: 'disk' });
    expect((await progressOf(second)).pending).toBeGreaterThan(0);
    clients.abort();
    await Promise.allSettled(walks);
    // Cut short by a crash of the machine: rendered anew.
    const files = await readdir(cache, { recursive: true, withFileTypes: true });
    for (const { parentPath, name } of files.filter((file) => file.isFile())) {
      await writeFile(join(parentPath, name), rendered.bytes.subarray(0, 100));
    }
    expect(await get(second, '/img?size=64&seed=a')).toEqual(rendered);
  });

  it('refuses a Host that is none, and answers under every name from one memory', async () => {
    const { rendered } = await progressOf(server);
    const { hostname, port } = new URL(server.origin);
    const statusFor = async (host: string) => {
      const socket = connect(Number(port), hostname);
      socket.write(`GET /img?seed=hosts HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      const answer = Buffer.concat(await socket.toArray()).toString('latin1');
      return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)![1]);
    };
    for (const host of ['one.example', '[::1]:80', 'two.example']) {
      expect(await statusFor(host), host).toBe(200);
    }
    for (const host of ['a b', '[', 'a:99999']) expect(await statusFor(host), host).toBe(400);
    expect((await progressOf(server)).rendered).toBe(rendered + 1);
  });

  it('renders no more for a client that has disconnected', () => expectWorkToStop(server.origin));

  it('answers what has begun when it is asked to end, and leaves no process', async () => {
    const ending = await serve();
    const processes = processesOf(ending);
    expect(processes).toHaveLength(1);
    const walk = fetch(`${ending.origin}/morph?from=a&to=b&steps=64`);
    await vi.waitUntil(async () => (await progressOf(ending)).pending === 64, PATIENCE);
    expect(await ending.terminate()).toBe(0);
    const answer = await walk;
    expect([answer.status, (await answer.arrayBuffer()).byteLength > 0]).toEqual([200, true]);
    for (const id of processes) expect(() => process.kill(id, 0)).toThrow(/ESRCH/);
  });

  it('logs and counts each request over all processes, and replaces a process that has died', async () => {
    const port = await freePort();
    const options = ['--access-log', 'on', '--metrics', `${port}`, '--processes', '2'];
    const two = await serve(...options);
    for (let i = 0; i < 6; i++) {
      const answer = await fetch(`${two.origin}/img?seed=log-${i}`, {
        headers: { Connection: 'close' },
      });
      await answer.arrayBuffer();
    }
    await vi.waitUntil(() => two.printed().split('\n').length === 8, PATIENCE);
    expect(two.printed().split('\n')[1]).toMatch(
      /^\S+ - - \[.+\] "GET \/img\?seed=log-\d HTTP\/1\.1" 200 \d+ "-" "\w+" [\d.]+ ms rendered$/,
    );
    const metrics = async () => (await fetch(`http://localhost:${port}/metrics`)).text();
    expect(await metrics()).toMatch(/^killme_pictures_rendered_total 6$/m);
    expect(await metrics()).toMatch(
      /^killme_http_request_duration_seconds_count\{status="200",source="rendered"\} 6$/m,
    );
    expect((await fetch(`${two.origin}/metrics`)).status).toBe(404);
    const [victim] = processesOf(two);
    process.kill(victim!, 'SIGKILL');
    await vi.waitUntil(() => two.printed().includes('is replaced'), PATIENCE);
    expect(two.printed()).toContain(`process ${victim} has ended (SIGKILL): it is replaced\n`);
    await vi.waitUntil(() => processesOf(two).length === 2, PATIENCE);
    expect((await get(two, '/img?seed=still')).status).toBe(200);
    expect(await metrics()).toMatch(/^killme_process_restarts_total 1$/m);
  });

  it('says by --check whether it is well', async () => {
    const { port } = new URL(server.origin);
    expect(await check(port)).toEqual({ status: 0, output: '' });
    const free = `${await freePort()}`;
    expect(await check(free)).toEqual({
      status: 1,
      output: `error: http://localhost:${free}/healthz does not answer\n`,
    });
  });
});

async function check(port: string): Promise<{ status: number | null; output: string }> {
  const program = fileURLToPath(new URL('../../apps/edge/scripts/serve.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [program, '--check', '--port', port]);
  let output = '';
  child.stdout?.on('data', (text) => (output += text));
  child.stderr?.on('data', (text) => (output += text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

const PATIENCE = { timeout: 60_000, interval: 20 };
