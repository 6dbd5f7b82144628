import { type GeneratorManifest, type Picture, placeClasses, seedToLatent } from '@killme/model';
import type { Context } from 'hono';
import type { Gallery } from '../generator/gallery.ts';
import { readClass } from '../generator/latents.ts';
import type { Model } from '../generator/registry.ts';
import { attachment } from '../http/content-disposition.ts';
import { entityTag, FOR_EVER, unchanged } from '../http/etag.ts';
import { ProblemError } from '../http/problem.ts';
import { canonicalQuery, checkPixels } from '../http/query.ts';
import { resample } from '../images/resample.ts';
import type { EncodeStill } from '../images/still.ts';
import { type ImageStore, joinStores, type Source } from './image-store.ts';
import { createWorkload, type Turn } from './scheduler.ts';
import { singleFlight } from './single-flight.ts';

/** How each format is called. */
const CONTENT_TYPES = {
  png: 'image/png',
  webp: 'image/webp',
  apng: 'image/apng',
  gif: 'image/gif',
  json: 'application/json',
} as const;

/** The parameters that a route of pictures has, as they were read. */
interface PictureParameters {
  size?: number | undefined;
  model?: string | undefined;
  class?: string | undefined;
  format: keyof typeof CONTENT_TYPES;
  download: boolean;
}

/** What a route renders with. */
export interface Renderer {
  /** Pixels on each side of each picture. */
  size: number;
  /** The latent of a seed, of the class that is asked for; of the seed's own if none is. */
  latentOf(seed: string): Float32Array;
  /** Makes a latent one of the class that is asked for, in place; leaves it if none is. */
  toClass(latent: Float32Array): Float32Array;
  /** The pictures of latents, `size` × `size` if nothing else is said. */
  renderLatents(latents: readonly Float32Array[], size?: number): Promise<Picture[]>;
  encodeStill: EncodeStill;
}

/** The bytes of an answer. */
export type Made = Uint8Array<ArrayBuffer> | string;

const asBytes = (made: Made) => (typeof made === 'string' ? new TextEncoder().encode(made) : made);

/** A request for pictures, and how they are made. */
export interface PictureRequest<Parameters extends PictureParameters> {
  context: Context;
  /** What renders them. */
  model: Model;
  /** Its path without the slash. */
  route: string;
  /** What alone determines the answer, so that it may be kept for ever. */
  parameters: Parameters;
  /** How many of `size` × `size` the answer has. */
  pictures: number;
  /** How many are rendered for it; as many when omitted. */
  renderings?: number;
  /** What a saved file is called by. */
  words: readonly string[];
  source?: 'rendered' | 'gallery';
  /** The bytes lie ready: nothing is rendered, no store need keep them, and nobody has to wait for them. */
  ready?: boolean;
  /** Called only when nobody has the answer yet. */
  make: (renderer: Renderer) => Promise<Made>;
}

/** Answers with pictures, and keeps them. */
export interface ImageResponder {
  respond<Parameters extends PictureParameters>(
    request: PictureRequest<Parameters>,
  ): Promise<Response>;
  /** What this isolate has rendered since it started, and what it is about to. */
  progress(): { rendered: number; pending: number };
}

/** What pictures are made with and kept in. */
export interface ImageResponderOptions {
  encodeStill: EncodeStill;
  /** Says whether a request to render is within the quota of its sender. */
  withinQuota: (request: Request) => Promise<boolean>;
  stores: readonly ImageStore[];
  /** Keeps the runtime awake for work that no client waits for. */
  waitUntil: (work: Promise<unknown>) => void;
}

export function createImageResponder({
  encodeStill,
  withinQuota,
  stores,
  waitUntil,
}: ImageResponderOptions): ImageResponder {
  const workload = createWorkload();
  const imageStore = joinStores(stores, waitUntil);
  const flight = singleFlight<Uint8Array<ArrayBuffer>>();
  let rendered = 0;

  function renderer({
    model,
    manifest: { latent: space },
    gallery,
    size,
    label,
    turn,
  }: {
    model: Model;
    manifest: GeneratorManifest;
    gallery: Gallery | undefined;
    size: number;
    label: number | undefined;
    turn: Turn;
  }): Renderer {
    const toClass = (latent: Float32Array) =>
      label === undefined ? latent : placeClasses(latent, [label], space);
    return {
      size,
      encodeStill,
      latentOf: (seed) => toClass(seedToLatent(gallery ? gallery.seedOf(seed) : seed, space)),
      toClass,
      async renderLatents(latents, side = size) {
        const { render } = await model.load();
        const pictures: Picture[] = [];
        for (const latent of latents) {
          await turn.next();
          const picture = await render(latent);
          rendered++;
          pictures.push(await resample(picture, side));
        }
        return pictures;
      },
    };
  }

  /**
   * Works in its turn, once for all who ask for the same, and no longer than there is someone to send
   * the answer to.
   */
  async function work({
    request,
    key,
    pictures,
    make,
    keep,
  }: {
    request: Request;
    key: string;
    pictures: number;
    make: (turn: Turn) => Promise<Made>;
    keep: (bytes: Uint8Array<ArrayBuffer>) => void;
  }): Promise<Uint8Array<ArrayBuffer>> {
    if (!(await withinQuota(request))) {
      throw new ProblemError(
        429,
        'Too many pictures were rendered for this client in a minute. Wait a minute.',
        {
          headers: { 'Retry-After': '60' },
        },
      );
    }
    return flight(key, request.signal, async (signal) => {
      const rendering = workload.run({ pictures, signal }, make);
      // workerd drops a request whose client has disconnected, in the middle of what it does and without its
      // `finally`. This holds it until nobody waits and it has given its place away.
      waitUntil(rendering.catch(() => undefined));
      const bytes = asBytes(await rendering);
      keep(bytes);
      return bytes;
    });
  }

  return {
    progress: () => ({ rendered, pending: workload.pending() }),
    async respond({
      context: {
        req: { raw: request },
      },
      model,
      route,
      parameters,
      pictures,
      renderings = pictures,
      words,
      source = 'rendered',
      ready = false,
      make,
    }) {
      const { download, model: named, ...shown } = parameters;
      const [{ manifest, hash }, gallery] = await Promise.all([
        model.describe(),
        model.loadGallery(),
      ]);
      const asked = shown.class;
      const label = asked === undefined ? undefined : readClass(asked, manifest);
      const { size = manifest.image.width, ...rest } = shown;
      const paint = { model, manifest, gallery, size, label };
      checkPixels(pictures, size);
      // The size that is asked for and the size that is omitted are one picture. So are those of
      // the generator that is named and the generator that is omitted: its hash is in the tag.
      const query = canonicalQuery({ ...rest, size, gallery: gallery?.pictures });
      const tag = await entityTag(hash, route, query);
      const headers = new Headers({ ETag: tag, 'Cache-Control': FOR_EVER });
      const same = unchanged(request, headers);
      if (same) return same;

      const { format } = parameters;
      const contentType = CONTENT_TYPES[format];
      headers.set('Content-Type', contentType);
      if (download) {
        const said = [named, asked].filter((word) => word !== undefined);
        headers.set('Content-Disposition', attachment(format, ...words, ...said));
      }
      const send = (body: BodyInit | null, from: Source) => {
        headers.set('Killme-Source', from);
        return new Response(body, { headers });
      };

      const address = new URL(
        `/kept/${hash}/${route}/${tag.replaceAll('"', '')}.${format}`,
        request.url,
      );
      const found = ready ? undefined : await imageStore.find(address, contentType);
      if (request.method === 'HEAD') {
        await found?.body.cancel();
        return send(null, found?.source ?? source);
      }
      if (found) return send(found.body, found.source);
      if (ready) {
        // Nothing is rendered: no quota is used, and no turn waited for.
        const turn = { next: async () => undefined };
        return send(asBytes(await make(renderer({ ...paint, turn }))), source);
      }
      const bytes = await work({
        request,
        key: address.href,
        pictures: renderings,
        make: (turn) => make(renderer({ ...paint, turn })),
        keep: (made) => imageStore.keep(address, { bytes: made, contentType }),
      });
      return send(bytes, source);
    },
  };
}
