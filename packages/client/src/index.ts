/**
 * Addresses of a Killme image server, and what it says of its generators.
 *
 * @module
 */
import { galleryFileOf } from './gallery.ts';
import {
  type GridOptions,
  type ImageOptions,
  type MixOptions,
  type MorphOptions,
  type OgOptions,
  writeQuery,
} from './query.ts';

export { galleryFile, galleryFileOf, galleryPicture, isGalleryPin } from './gallery.ts';
export type {
  CommonOptions,
  GridOptions,
  ImageOptions,
  MixOptions,
  MorphOptions,
  Move,
  OgOptions,
} from './query.ts';

/** What `GET /model` says of a generator; a server may say more. */
export interface ModelFacts {
  /** For `model`; none of a generator that has pinned addresses only. */
  name?: string | undefined;
  /** For `createClient`: addresses of this generator for ever. */
  pin: string;
  preset: string;
  /** sha256, hex. */
  hash: string;
  /** Of its weights. */
  bytes: number;
  latent: {
    size: number;
    distribution: 'uniform' | 'uniform01' | 'normal';
    /** Images of each class in training, where the generator is class-conditional. */
    classes?: readonly number[] | undefined;
  };
  image: { width: number; height: number; channels: number };
  /** Names that `class` takes; empty when the generator is not class-conditional. */
  classes: readonly string[];
  /** Directions that `move` takes. */
  directions: readonly string[];
  /** What it was trained on; what is not known is omitted. */
  training: {
    dataset: string;
    images?: number | undefined;
    iterations?: number | undefined;
    engine: string;
  };
  /** Of the pictures: an SPDX identifier, an address, or words; absent if unknown. */
  licence?: string | undefined;
  /** Whom pictures have to name, if anyone. */
  credit?: string | undefined;
  /** Of a server that gives each seed one of so many pictures. */
  gallery?: { pictures: number } | undefined;
  /** The generators of the server, by name. */
  models: readonly string[];
  /** All that have pinned addresses, also those that were served before; `img` is where the pictures of each are. */
  pinned: readonly { pin: string; hash: string; model?: string | undefined; img: string }[];
}

/** Builds addresses; the same options always give the same address. */
export interface KillmeClient {
  /**
   * One picture of a seed. With the pin of a gallery, and no options, it is the address of the file itself,
   * which a server of static files answers too.
   */
  img(seed: string, options?: ImageOptions): string;
  /** Pictures on the way from one seed's latent to another's. */
  morph(from: string, to: string, options?: MorphOptions): string;
  /** A contact sheet of the seeds `seed/0`, `seed/1`, … */
  grid(seed: string, options?: GridOptions): string;
  /** Latent arithmetic: the sum of `plus` less the sum of `minus`. */
  mix(seeds: { plus: readonly string[]; minus?: readonly string[] }, options?: MixOptions): string;
  /** A card of 1200×630 for link previews. */
  og(seed: string, options?: OgOptions): string;
  /**
   * Asks the server for the facts of a generator, past every cache.
   * @param name one of several generators; the first when omitted
   * @throws Error when the server does not answer with them.
   */
  model(name?: string): Promise<ModelFacts>;
}

/** Of a client. */
export interface ClientOptions {
  /**
   * Of a generator, from the server's `/model`: the same picture for ever, and an error once the server
   * does not have that generator any more. Without it, pictures are of the generator that the server has
   * when they are asked for, and `model` chooses among several.
   */
  pin?: string | undefined;
}

/**
 * @param base where the server is; a path in it is kept
 * @throws TypeError when it is no absolute address, or the pin is none.
 * @example
 * const killme = createClient('https://killme.example.workers.dev', { pin: '4f3a9c12d0e1f2a3' });
 * image.src = killme.img('alice', { size: 256 });
 */
export function createClient(base: string | URL, { pin }: ClientOptions = {}): KillmeClient {
  const server = new URL(base);
  if (!server.pathname.endsWith('/')) server.pathname += '/';
  if (pin !== undefined && !PIN.test(pin)) throw new TypeError(`${pin} is no pin: /model has it`);
  const root = pin === undefined ? server : new URL(`v/${pin}/`, server);
  const address = (route: string, query: Parameters<typeof writeQuery>[0]) => {
    const url = new URL(route, root);
    url.search = writeQuery(query);
    return url.href;
  };
  return {
    img(seed, options = {}) {
      const isPlain = Object.values(options).every((value) => value === undefined);
      const file = pin !== undefined && isPlain ? galleryFileOf(seed, pin) : undefined;
      return file === undefined ? address('img', { seed, ...options }) : new URL(file, server).href;
    },
    morph: (from, to, options) => address('morph', { from, to, ...options }),
    grid: (seed, options) => address('grid', { seed, ...options }),
    mix: ({ plus, minus }, options) => address('mix', { plus, minus, ...options }),
    og: (seed, options) => address('og', { seed, ...options }),
    async model(name) {
      const response = await fetch(address('model', { model: name }), { cache: 'no-cache' });
      if (!response.ok) {
        throw new Error(`${root.href} does not describe its generator (${response.status})`);
      }
      return readFacts(await response.json(), root);
    },
  };
}

/** Digits of a generator's hash, and the pictures of its gallery if it answers from one. */
const PIN = /^[0-9a-f]{8,64}(?:-[1-9]\d{0,6})?$/;

/** @throws Error when an answer is none of a Killme server. */
function readFacts(answer: unknown, root: URL): ModelFacts {
  if (typeof answer === 'object' && answer !== null && 'pin' in answer && 'latent' in answer) {
    return answer as ModelFacts;
  }
  throw new Error(`${root.href} is no Killme server: its /model has no pin and latent`);
}
