/**
 * The whole app in a Web Worker: it answers paths with what the app answers. For tests;
 * build-browser-app.ts bundles it.
 *
 * @module
 */
import { createApp } from '../app.ts';
import { openGenerator } from '../generator/generator.ts';

/** What is reported of an answer. */
export interface BrowserAnswer {
  path: string;
  status: number;
  /** Of the body, in hex. */
  sha256: string;
}

const app = createApp({
  listGenerators: async () =>
    ['lite', 'article'].map((name) => ({ name, load: () => loadGenerator(name) })),
  loadWebpBinary: () => compile('webp.wasm'),
  readPage: async (name) => new Uint8Array(await read(name)),
});

function loadGenerator(name: string) {
  return openGenerator({
    readFile: async (file) => new Uint8Array(await read(`generators/${name}/${file}`)),
    async loadBinaries() {
      const [tfjs, kernels] = await Promise.all(['tfjs.wasm', 'kernels.wasm'].map(compile));
      return { tfjs: tfjs!, kernels: kernels! };
    },
  });
}

/** One after the other: the app refuses work beyond what it can do at a time. */
let last = Promise.resolve();

addEventListener('message', ({ data: path }: MessageEvent<string>) => {
  last = last.then(() => answerPath(path));
});

async function answerPath(path: string): Promise<void> {
  const answer = await app.request(path);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await answer.arrayBuffer()));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  postMessage({ path, status: answer.status, sha256 } satisfies BrowserAnswer);
}

async function compile(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await read(name));
}

async function read(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} is not there (${response.status})`);
  return response.arrayBuffer();
}
