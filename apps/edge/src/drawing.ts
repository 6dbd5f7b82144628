import type { Picture } from '@killme/model';
import type { Context } from 'hono';
import { entityTag, FOR_EVER, respond } from './caching.ts';
import type { Generator } from './generator.ts';
import { attachment } from './names.ts';
import { canonicalQuery, checkPixels } from './parameters.ts';
import { resample } from './resample.ts';

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
  format: keyof typeof CONTENT_TYPES;
  download: boolean;
}

/**
 * Answers with what is drawn from the parameters alone, so that it may be kept for ever.
 * @param options.route its path without the slash
 * @param options.pictures how many of `size` × `size` the answer has
 * @param options.words what a saved file is called by
 * @param options.make is given each picture's size; called only when the client lacks the answer.
 */
export async function respondWithPictures<Parameters extends PictureParameters>({
  context,
  generator,
  route,
  parameters,
  pictures,
  words,
  make,
}: {
  context: Context;
  generator: Generator;
  route: string;
  parameters: Parameters;
  pictures: number;
  words: readonly string[];
  make: (size: number) => Promise<BodyInit>;
}): Promise<Response> {
  const { download, size = generator.manifest.image.width, ...rest } = parameters;
  checkPixels(pictures, size);
  const extension = parameters.format;
  return respond({
    request: context.req.raw,
    // The size that is asked for and the size that is left out are one picture.
    tag: await entityTag(generator.hash, route, canonicalQuery({ ...rest, size })),
    cacheControl: FOR_EVER,
    contentType: CONTENT_TYPES[parameters.format],
    headers: download ? { 'Content-Disposition': attachment(extension, ...words) } : {},
    make: () => make(size),
  });
}

/**
 * The pictures of latents, `size` × `size`, one after the other: other requests get their turn
 * between two of them.
 */
export async function drawAll(
  { draw }: Generator,
  latents: readonly Float32Array[],
  size: number,
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const latent of latents) pictures.push(await resample(draw(latent), size));
  return pictures;
}
