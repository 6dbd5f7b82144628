import { moveLatent } from '@killme/model';
import { createFactory } from 'hono/factory';
import type { z } from 'zod';
import type { Gallery } from '../generator/gallery.ts';
import { readLatent, readMoves, seedLatents, writeMoves } from '../generator/latents.ts';
import { imgParameters } from '../http/parameters.ts';
import { query } from '../http/query.ts';
import type { ImageResponder } from '../render/image-responder.ts';
import {
  fileNameOf,
  type GalleryPicture,
  identityOf,
  type PicturePlan,
  type PlannedFor,
  type RenderedPictures,
} from '../render/plan.ts';
import { area, type Size, sizeOfEach } from '../render/size.ts';
import { askedOf } from './asked.ts';
import { redirectToRandomSeed } from './random-seed.ts';

type ImgParameters = z.infer<typeof imgParameters>;

/**
 * `GET /img?seed=` or `?z=`: the character of a seed or latent; without one, a redirect to a random seed.
 * @param path parameters that the end of the path says, see path-parameters.ts.
 */
export const img = ({ respond }: ImageResponder, path: readonly string[] = []) =>
  createFactory().createHandlers(query(imgParameters, path), async (c) => {
    const parameters = c.req.valid('query');
    if (parameters.seed === undefined && parameters.z === undefined) return redirectToRandomSeed(c);
    return respond(askedOf(c), parameters, planImg);
  });

function planImg(parameters: ImgParameters, generator: PlannedFor): PicturePlan {
  const { manifest, gallery } = generator;
  const { seed, move, format, metadata } = parameters;
  const size = sizeOfEach(parameters.size, 1, manifest.image);
  // A gallery has each seed in its own class only.
  const inGallery = move === undefined && parameters.class === undefined ? seed : undefined;
  const pictures =
    gallery && inGallery !== undefined
      ? galleryPicture(gallery, { seed: inGallery, size, own: manifest.image, format, metadata })
      : renderedPicture(parameters, size, generator);
  const shown = pictures.from === 'gallery' ? { seed: pictures.seed } : {};
  return {
    route: 'img',
    identity: identityOf(
      { ...parameters, ...shown, move: writeMoves(move) },
      { size, own: manifest.image },
    ),
    title: pictures.from === 'gallery' ? pictures.seed : seed,
    pictures,
    encoded: { pictures: 1, pixels: area(size) },
    output: { format, compose: ([picture]) => picture! },
    fileName: fileNameOf(parameters, [seed ?? 'latent']),
  };
}

/** The picture of the gallery that a seed stands for. */
function galleryPicture(
  gallery: Gallery,
  {
    seed,
    size,
    own,
    format,
    metadata,
  }: { seed: string; size: Size; own: Size; format: string; metadata: string },
): GalleryPicture {
  const isOwnSize = size.width === own.width && size.height === own.height;
  const isFile = format === 'png' && isOwnSize && metadata === 'all';
  return { from: 'gallery', gallery, seed: gallery.seedOf(seed), size, isFile };
}

function renderedPicture(
  { seed, z, move = [], class: named }: ImgParameters,
  size: Size,
  generator: PlannedFor,
): RenderedPictures {
  const space = generator.manifest.latent;
  const latent = z === undefined ? undefined : readLatent('z', z, space);
  const moves = readMoves(move, generator.manifest);
  const { latentOf } = seedLatents(named, generator);
  return {
    from: 'generator',
    sizes: [size],
    latents: () => [moveLatent(latent ?? latentOf(seed!), moves, space)],
  };
}
