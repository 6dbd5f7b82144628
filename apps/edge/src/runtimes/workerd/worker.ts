/**
 * The entry for workerd (Cloudflare Workers). The generators and the page are static assets, put
 * together by scripts/assemble.ts.
 *
 * @module
 */
import { env, type RateLimiter, waitUntil } from 'cloudflare:workers';
import { readGeneratorManifest, UserError } from '@killme/model';
import kernels from '@killme/model/kernels.wasm';
import tfjs from '../../../dist/wasm/tfjs.wasm';
import webpBinary from '../../../dist/wasm/webp.wasm';
import { createApp } from '../../app.ts';
import { createGallery } from '../../generator/gallery.ts';
import { openGenerator } from '../../generator/generator.ts';
import type { GeneratorSource } from '../../generator/registry.ts';
import { once } from '../../once.ts';
import { DEPLOYMENT_FILE, readDeployment } from '../deployment.ts';
import { limitDownloads } from '../downloads.ts';
import { digestStream } from './digest.ts';
import { bucketStore, cacheStore } from './image-stores.ts';

const deployment = once(() => shared(readAsset(DEPLOYMENT_FILE).then(readDeployment)));

const app = createApp({
  listGenerators: () => shared(listDeployedGenerators()),
  isImmutable: async () => (await deployment()).immutable,
  readPage: (name) => readAsset(`page/${name}`),
  loadWebpBinary: () => webpBinary,
  withinQuota: env.RATE_LIMITER && withinLimit(env.RATE_LIMITER),
  stores: [cacheStore(caches.default), ...(env.PICTURES ? [bucketStore(env.PICTURES)] : [])],
  waitUntil,
});

/** Others wait for it too: it must not end when the client whose request began it disconnects. */
function shared<T>(work: Promise<T>): Promise<T> {
  waitUntil(work.catch(() => undefined));
  return work;
}

/** Those that scripts/assemble.ts has put among the assets. */
async function listDeployedGenerators(): Promise<GeneratorSource[]> {
  const { generators } = await deployment();
  return generators.map(({ name, folder, kept, gallery }) => {
    const readFile = (file: string) => readAsset(`${folder}/${file}`);
    return {
      name,
      kept,
      describe: () => shared(readGeneratorManifest(readFile)),
      load: () =>
        shared(
          openGenerator({
            readFile,
            readShard: async (file, take) =>
              digestStream(await streamAsset(`${folder}/${file}`), take),
            loadBinaries: () => ({ tfjs, kernels }),
          }),
        ),
      openFile: (file, client) => sendAsset(`${folder}/${file}`, client),
      openGallery: async (generator) =>
        gallery === undefined ? undefined : createGallery(gallery, generator, readAsset),
    };
  });
}

export default { fetch: (request: Request) => app.fetch(request) };

/** Each address has its own quota, as the binding in wrangler.jsonc says. */
function withinLimit(limiter: RateLimiter) {
  return async (request: Request): Promise<boolean> => {
    const key = request.headers.get('CF-Connecting-IP') ?? 'unknown';
    return (await limiter.limit({ key })).success;
  };
}

const readAsset = async (path: string): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await new Response(await streamAsset(path)).arrayBuffer());

async function streamAsset(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { ok, body } = await fetchAsset(path);
  if (!ok || !body) throw new UserError(`${path} is not among the deployed assets`);
  return body;
}

/** workerd does not always say that a client has gone. */
const downloads = limitDownloads({ forgetMs: 120_000 });

/** An asset for a client: of many that read nothing each takes a megabyte. */
async function sendAsset(path: string, client: AbortSignal) {
  const end = downloads.begin();
  client.addEventListener('abort', end);
  try {
    const { readable, writable } = new IdentityTransformStream();
    const sent = (await streamAsset(path)).pipeTo(writable);
    waitUntil(sent.catch(() => undefined).finally(end));
    return readable;
  } catch (error) {
    end();
    throw error;
  }
}

/** The binding takes whole URLs and looks only at the path. */
const fetchAsset = (path: string) => env.ASSETS.fetch(`https://assets.invalid/${path}`);
