/**
 * Addresses of a Killme image server, and what it says of its generators.
 *
 * @module
 */
import {
  type GridOptions,
  type ImageOptions,
  type MixOptions,
  type MorphOptions,
  type OgOptions,
  writeQuery,
} from './query.ts';

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
  preset: string;
  latent: { size: number; distribution: string };
  image: { width: number; height: number; channels: number };
  /** Names that `class` takes; empty when the generator is not class-conditional. */
  classes: readonly string[];
  /** Directions that `move` takes. */
  directions: readonly { name: string }[];
}

/** Builds addresses; the same options always give the same address. */
export interface KillmeClient {
  /** One picture of a seed. */
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

/**
 * @param base where the server is; a path in it is kept
 * @throws TypeError when it is no absolute address.
 * @example
 * const killme = createClient('https://killme.example.workers.dev');
 * image.src = killme.img('alice', { size: 256 });
 */
export function createClient(base: string | URL): KillmeClient {
  const root = new URL(base);
  if (!root.pathname.endsWith('/')) root.pathname += '/';
  const address = (route: string, query: Parameters<typeof writeQuery>[0]) => {
    const url = new URL(route, root);
    url.search = writeQuery(query);
    return url.href;
  };
  return {
    img: (seed, options) => address('img', { seed, ...options }),
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

/** @throws Error when an answer is none of a Killme server. */
function readFacts(answer: unknown, root: URL): ModelFacts {
  if (typeof answer === 'object' && answer !== null && 'latent' in answer && 'image' in answer) {
    return answer as ModelFacts;
  }
  throw new Error(`${root.href} is no Killme server: its /model has no latent and image`);
}
