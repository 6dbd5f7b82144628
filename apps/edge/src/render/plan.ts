/**
 * A picture request as data: what a route makes of valid parameters, before anything is rendered.
 *
 * @module
 */
import type { GeneratorDescription, Picture } from '@killme/model';
import type { Gallery } from '../generator/gallery.ts';
import type { Animation } from '../images/apng.ts';
import type { Pause } from '../images/pause.ts';
import type { Walk } from '../images/walk.ts';
import type { Size } from './size.ts';

/** What a plan may know of the generator: its weights are not loaded for it. */
export interface PlannedFor extends GeneratorDescription {
  gallery: Gallery | undefined;
}

/** Makes of the rendered pictures, in the order of their latents, what is encoded. */
type Compose<Composition> = (
  pictures: readonly Picture[],
  pause: Pause,
) => Composition | Promise<Composition>;

/** A file format, and what is put into it. */
export type Output =
  | { format: 'png' | 'webp'; compose: Compose<Picture> }
  | { format: 'apng' | 'gif'; compose: Compose<Animation> }
  | { format: 'json'; compose: Compose<Walk> };

/** Pictures that are rendered. */
export interface RenderedPictures {
  from: 'generator';
  /** Of each picture; the generator's own are resampled to it. */
  sizes: readonly Size[];
  /** One of each picture, `[latent.size]`. A function, because a 304 needs none. */
  latents: () => readonly Float32Array[];
}

/** A picture of the gallery. */
export interface GalleryPicture {
  from: 'gallery';
  gallery: Gallery;
  /** Names the picture. */
  seed: string;
  size: Size;
  /** The file in the gallery is the answer: nothing has to be resampled or encoded. */
  isFile: boolean;
}

/** How a request for pictures is answered. */
export interface PicturePlan {
  /** The path without its slash. */
  route: string;
  /**
   * What determines the bytes of the answer, beside the generator, its gallery, the route and the code:
   * valid parameters, in one order.
   */
  identity: Identity;
  /** What it shows, for those who find the file. */
  title: string | undefined;
  pictures: RenderedPictures | GalleryPicture;
  /** Of a cross-fade, in all of its pictures. */
  fadedPixels?: number | undefined;
  /** Pictures of the file, as many as it has frames, and the pixels of all of them. */
  encoded: { pictures: number; pixels: number };
  output: Output;
  /** What a saved file is called after; absent when the browser shows the picture. */
  fileName?: readonly string[] | undefined;
}

/** Parameters that mean the same are the same, see {@link identityOf}. */
export type Identity = Readonly<Record<string, unknown>> & { metadata: 'all' | 'none' };

/** What the routes of pictures have in common. */
interface CommonParameters {
  model?: string | undefined;
  class?: string | undefined;
  size?: number | undefined;
  metadata: 'all' | 'none';
  download: boolean;
}

/** The words of a file name, when a file was asked for: what it shows, then of which generator and class. */
export const fileNameOf = (
  { download, model, class: named }: CommonParameters,
  words: readonly string[],
): readonly string[] | undefined =>
  download ? [...words, model, named].filter((word) => word !== undefined) : undefined;

/**
 * What determines the bytes of an answer. Parameters in other words for the same picture are omitted
 * or replaced by what they mean: the generator's own size is one that is omitted, and the hash of the
 * generator names it, whatever the server calls it.
 * @param sizes of each picture, and the generator's own; none where a route has one only.
 */
export function identityOf<Parameters extends CommonParameters>(
  parameters: Parameters,
  sizes?: { size: Size; own: Size },
): Identity {
  const { download, model, size: _given, ...identity } = parameters;
  return { ...identity, size: sizes && chosenSide(sizes) };
}

/** `size=`: the longer side, as the shape is the generator's. */
function chosenSide({ size, own }: { size: Size; own: Size }): number | undefined {
  const isOwn = size.width === own.width && size.height === own.height;
  return isOwn ? undefined : Math.max(size.width, size.height);
}

/** A list of seeds, and of latents that have no name. */
export const nameStops = (stops: readonly (string | undefined)[]): string =>
  stops.map((seed) => seed ?? 'a latent').join(' → ');
