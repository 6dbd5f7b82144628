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
import { joinTiers, type Source, type Tier } from './image-store.ts';
import { createWorkload, type Turn } from './scheduler.ts';
import { shareWork } from './single-flight.ts';

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

/** What a route draws with. */
export interface Brush {
  /** Pixels on each side of each picture. */
  size: number;
  /** The latent of a seed, of the class that is asked for; of the seed's own if none is. */
  latentOf(seed: string): Float32Array;
  /** Makes a latent one of the class that is asked for, in place; leaves it if none is. */
  toClass(latent: Float32Array): Float32Array;
  /** The pictures of latents, `size` × `size` if nothing else is said. */
  drawAll(latents: readonly Float32Array[], size?: number): Promise<Picture[]>;
  encodeStill: EncodeStill;
}

/** The bytes of an answer. */
export type Made = Uint8Array<ArrayBuffer> | string;

const asBytes = (made: Made) => (typeof made === 'string' ? new TextEncoder().encode(made) : made);

/** A request for pictures, and how they are made. */
export interface PictureRequest<Parameters extends PictureParameters> {
  context: Context;
  /** What draws them. */
  model: Model;
  /** Its path without the slash. */
  route: string;
  /** What alone determines the answer, so that it may be kept for ever. */
  parameters: Parameters;
  /** How many of `size` × `size` the answer has. */
  pictures: number;
  /** How many are drawn for it; as many when left out. */
  drawings?: number;
  /** What a saved file is called by. */
  words: readonly string[];
  source?: 'drawn' | 'gallery';
  /** The bytes lie ready: nothing is drawn, no tier need keep them, and nobody has to wait for them. */
  ready?: boolean;
  /** Called only when nobody has the answer yet. */
  make: (brush: Brush) => Promise<Made>;
}

/** Answers with pictures, and keeps them. */
export interface Drawing {
  respond<Parameters extends PictureParameters>(
    request: PictureRequest<Parameters>,
  ): Promise<Response>;
  /** What this isolate has drawn since it started, and what it is about to. */
  progress(): { drawn: number; underWay: number };
}

/** What pictures are made with and kept in. */
export interface DrawingOptions {
  encodeStill: EncodeStill;
  /** Says whether a request to draw is within the sender's share. */
  allowRequest: (request: Request) => Promise<boolean>;
  tiers: readonly Tier[];
  /** Keeps the runtime awake for work that no client waits for. */
  waitUntil: (work: Promise<unknown>) => void;
}

export function createDrawing({
  encodeStill,
  allowRequest,
  tiers,
  waitUntil,
}: DrawingOptions): Drawing {
  const workload = createWorkload();
  const shelf = joinTiers(tiers, waitUntil);
  const share = shareWork<Uint8Array<ArrayBuffer>>();
  let drawn = 0;

  function brush({
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
  }): Brush {
    const toClass = (latent: Float32Array) =>
      label === undefined ? latent : placeClasses(latent, [label], space);
    return {
      size,
      encodeStill,
      latentOf: (seed) => toClass(seedToLatent(gallery ? gallery.seedOf(seed) : seed, space)),
      toClass,
      async drawAll(latents, side = size) {
        const { draw } = await model.load();
        const pictures: Picture[] = [];
        for (const latent of latents) {
          await turn.next();
          const picture = await draw(latent);
          drawn++;
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
    if (!(await allowRequest(request))) {
      throw new ProblemError(429, 'Too many drawings in a minute; wait a little.', {
        headers: { 'Retry-After': '60' },
      });
    }
    return share(key, request.signal, async (signal) => {
      const drawing = workload.run({ pictures, signal }, make);
      // workerd drops a request whose client has left, in the middle of what it does and without its
      // `finally`. This holds it until nobody waits and it has given its place away.
      waitUntil(drawing.catch(() => undefined));
      const bytes = asBytes(await drawing);
      keep(bytes);
      return bytes;
    });
  }

  return {
    progress: () => ({ drawn, underWay: workload.underWay() }),
    async respond({
      context: {
        req: { raw: request },
      },
      model,
      route,
      parameters,
      pictures,
      drawings = pictures,
      words,
      source = 'drawn',
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
      // The size that is asked for and the size that is left out are one picture. So are those of
      // the generator that is named and the generator that is left out: its hash is in the tag.
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
      const found = ready ? undefined : await shelf.find(address, contentType);
      if (request.method === 'HEAD') {
        await found?.body.cancel();
        return send(null, found?.source ?? source);
      }
      if (found) return send(found.body, found.source);
      if (ready) {
        // Nothing is drawn: it is of nobody's share, and waits for no turn.
        const turn = { next: async () => undefined };
        return send(asBytes(await make(brush({ ...paint, turn }))), source);
      }
      const bytes = await work({
        request,
        key: address.href,
        pictures: drawings,
        make: (turn) => make(brush({ ...paint, turn })),
        keep: (made) => shelf.keep(address, { bytes: made, contentType }),
      });
      return send(bytes, source);
    },
  };
}
