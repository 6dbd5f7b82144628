/**
 * The image server itself, in a Web Worker of the page: each message is a request, whose answer has the
 * server's bytes. The pad has no address; its pictures go to the page as pixels.
 *
 * @module
 */
import { mix, type Picture, placeClasses, seedToLatent } from '@killme/model';
import { createApp } from '../app.ts';
import { createClient, galleryPicture } from '../client.ts';
import type { Gallery } from '../generator/gallery.ts';
import type { AnyGenerator } from '../generator/generator.ts';
import { readClass } from '../generator/latents.ts';
import { toRgba } from '../images/channels.ts';
import { once } from '../once.ts';
import type { MadeFile, MadePixels, PadPoint, WorkerRequest, WorkerResponse } from './messages.ts';

/** Where the generator is that this worker renders with, beside the page, which gives it as the worker's name. */
const PINNED = self.name;

/** Answers the requests of the page; `open` makes the generator ready. */
export async function serveRequests(open: Promise<AnyGenerator>): Promise<void> {
  const generator = open.then(timed);
  const gallery = once(async () => openServedGallery(await generator));
  const app = createApp({
    listGenerators: async () => [{ name: 'here', load: () => generator, openGallery: gallery }],
    readPage: refuse,
    loadWebpBinary: refuse,
  });

  async function makeFile(address: string): Promise<MadeFile> {
    const { spent } = await generator;
    const before = { ...spent };
    const response = await app.request(address);
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const file = await response.blob();
    const pictures = spent.pictures - before.pictures;
    return pictures === 0 ? { file } : { file, pictureMs: (spent.ms - before.ms) / pictures };
  }

  async function makePixels(point: PadPoint): Promise<MadePixels> {
    const { middle, across, down, x, y, class: asked } = point;
    const { render, manifest, latentSpace, spent } = await generator;
    const shown = await gallery();
    const part = (name: string, factor: number) =>
      seedToLatent(shown ? shown.seedOf(name) : name, latentSpace).map((value) => value * factor);
    const before = spent.ms;
    const plus = [part(middle, 1), part(across, x), part(down, y)];
    const latent = mix({ plus, minus: [] }, latentSpace);
    if (asked !== undefined) placeClasses(latent, [readClass(asked, manifest)], latentSpace);
    const picture = await render(latent);
    const { width, height } = picture;
    const pixels = Uint8ClampedArray.from(toRgba(picture));
    return { width, height, pixels, pictureMs: spent.ms - before };
  }

  addEventListener('message', async ({ data }: MessageEvent<WorkerRequest>) => {
    const made = await ('point' in data ? makePixels(data.point) : makeFile(data.address)).catch(
      (error: unknown) => ({ problem: String(error) }),
    );
    post({ id: data.id, ...made });
  });
  post(await generator.then(() => ({ ready: true }), whyBroken));
}

const post = (response: WorkerResponse) => postMessage(response);

const whyBroken = (error: unknown) => ({
  broken: error instanceof Error ? error.message : String(error),
});

/** Where the server has a gallery, each name stands for one of its pictures; they are rendered here too. */
async function openServedGallery(generator: AnyGenerator): Promise<Gallery | undefined> {
  const server = createClient(new URL(PINNED, location.href).href);
  const { gallery } = await server.model();
  if (!gallery) return undefined;
  // What /img of a server without a gallery answers is what its files are.
  const rendering = createApp({
    listGenerators: async () => [{ name: 'here', load: async () => generator }],
    readPage: refuse,
    loadWebpBinary: refuse,
  });
  return {
    pictures: gallery.pictures,
    image: generator.manifest.image,
    seedOf: (seed) => `${galleryPicture(seed, gallery.pictures)}`,
    read: async (seed) => {
      const answer = await rendering.request(`/img?seed=${seed}`);
      return new Uint8Array(await answer.arrayBuffer());
    },
  };
}

/** The page asks for no other pages and no WebP. */
const refuse = async () => {
  throw new Error('the engine makes PNG pictures only');
};

/** A generator that knows how long it has rendered. */
function timed(generator: AnyGenerator) {
  const spent = { pictures: 0, ms: 0 };
  const render = async (latent: Float32Array): Promise<Picture> => {
    const startMs = performance.now();
    const picture = await generator.render(latent);
    spent.ms += performance.now() - startMs;
    spent.pictures++;
    return picture;
  };
  return { ...generator, render, spent };
}

/** Reads a file of the server; addresses are relative to the worker's own, beside the page. */
export async function read(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} is not there (${response.status})`);
  return response.arrayBuffer();
}

/** Reads a file of the generator. */
export const readGeneratorFile = async (name: string) =>
  new Uint8Array(await read(`${PINNED}generator/${name}`));
