/**
 * The promise: one generator file, seed and options are the same bytes in workerd, Deno, Node and
 * Chromium. Here for 64 seeds in every format that there is, with the shipped generators.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createApp, diskOptions, SHIPPED_GENERATORS } from '@killme/edge';
import { type BrowserAnswer, buildBrowserApp } from '@killme/edge/testing';
import { beforeAll, expect, it } from 'vitest';
import { expectServer, type Refusal, type Server, startDeno, startWorkerd } from '../servers.ts';
import { launchChromium } from './launch.ts';

const SEEDS = Array.from({ length: 64 }, (_, i) => `same-${i}`);

/** Every seed in every format of a single picture and of a walk, whose two ends are two of them. */
const SINGLES = SEEDS.flatMap((seed) =>
  ['png', 'webp'].map((format) => `/img?seed=${seed}&format=${format}`),
);
const WALKS = ['png', 'apng', 'gif', 'json'].flatMap((format) =>
  SEEDS.filter((_, i) => i % 2 === 0).map(
    (from, i) => `/morph?from=${from}&to=${SEEDS[2 * i + 1]}&steps=2&format=${format}`,
  ),
);
const OTHERS = SEEDS.slice(0, 2).flatMap((seed) => [
  `/grid?seed=${seed}&n=2`,
  ...['png', 'webp'].flatMap((format) => [
    `/mix?plus=${seed},b&minus=c&format=${format}`,
    `/img?seed=${seed}&size=200&format=${format}`,
    `/og?seed=${seed}&format=${format}`,
  ]),
]);
const OF_ARTICLE = SEEDS.slice(0, 8).map((seed) => `/img?seed=${seed}&model=article`);
const PATHS = [...SINGLES, ...WALKS, ...OTHERS, ...OF_ARTICLE];

/** sha256 of what each path was answered, in hex. */
type Hashes = Map<string, string>;

/** Requests under way at a time. */
const PARALLEL = 4;

const FOLDERS = SHIPPED_GENERATORS.map(({ folder }) => folder);

const answers = new Map<string, Hashes>();

beforeAll(async () => {
  const runtimes = {
    Node: askNode,
    workerd: () => askServer(startWorkerd(FOLDERS)),
    Deno: () => askServer(startDeno(FOLDERS)),
    Chromium: askChromium,
  };
  // All at once: some render while others start.
  await Promise.all(
    Object.entries(runtimes).map(async ([name, ask]) => answers.set(name, await ask())),
  );
});

it('renders something of its own for every path, in Node', () => {
  const hashes = answers.get('Node')!;
  expect([...hashes.keys()].sort()).toEqual(PATHS.toSorted());
  expect(new Set(hashes.values()).size).toBe(PATHS.length);
});

it.each(['workerd', 'Deno', 'Chromium'])('renders the bytes of Node in %s', (name) => {
  const [expected, hashes] = [answers.get('Node')!, answers.get(name)!];
  expect(hashes.size).toBe(PATHS.length);
  expect(PATHS.filter((path) => hashes.get(path) !== expected.get(path))).toEqual([]);
});

async function askNode(): Promise<Hashes> {
  const app = createApp(diskOptions(SHIPPED_GENERATORS));
  return hashAll(async (path) => app.request(path));
}

async function askServer(started: Promise<Server | Refusal>): Promise<Hashes> {
  const { origin, stop } = expectServer(await started);
  try {
    return await hashAll((path) => fetch(origin + path));
  } finally {
    await stop();
  }
}

async function hashAll(request: (path: string) => Promise<Response>): Promise<Hashes> {
  const hashes: Hashes = new Map();
  const left = PATHS.values();
  const ask = async () => {
    for (const path of left) {
      const response = await request(path);
      if (response.status !== 200) throw new Error(`${path} was answered ${response.status}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      hashes.set(path, createHash('sha256').update(bytes).digest('hex'));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, ask));
  return hashes;
}

/** The same app, bundled, in a Web Worker of an empty page. */
async function askChromium(): Promise<Hashes> {
  const { origin, stop } = await serveFiles();
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(origin);
    const answers = await page.evaluate(async (paths) => {
      const worker = new Worker('app.js', { type: 'module' });
      const answered = new Promise<BrowserAnswer[]>((resolve, reject) => {
        const all: BrowserAnswer[] = [];
        worker.addEventListener('message', ({ data }: MessageEvent<BrowserAnswer>) => {
          all.push(data);
          if (all.length === paths.length) resolve(all);
        });
        worker.addEventListener('error', ({ message }) => reject(new Error(message)));
      });
      for (const path of paths) worker.postMessage(path);
      return answered;
    }, PATHS);
    const failed = answers.filter(({ status }) => status !== 200);
    if (failed.length > 0) throw new Error(`in Chromium: ${JSON.stringify(failed[0])}`);
    return new Map(answers.map(({ path, sha256 }) => [path, sha256]));
  } finally {
    await browser.close();
    stop();
  }
}

/** A page with nothing on it, the bundled app, and the generators. */
async function serveFiles() {
  const files = await buildBrowserApp();
  for (const { name, folder } of SHIPPED_GENERATORS) {
    for (const file of await readdir(folder)) {
      files.set(`generators/${name}/${file}`, await readFile(`${folder}/${file}`));
    }
  }
  files.set('', new TextEncoder().encode('<!doctype html><title>app</title>'));
  const types: Record<string, string> = { '': 'text/html', 'app.js': 'text/javascript' };
  const server = createServer(({ url = '/' }, response) => {
    const name = url.slice(1);
    const type = types[name] ?? 'application/octet-stream';
    response.writeHead(files.has(name) ? 200 : 404, { 'Content-Type': type }).end(files.get(name));
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    origin: `http://localhost:${address.port}/`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
