/**
 * A gallery: pictures that were made once, by scripts/prerender.ts, so that a server without the
 * time to render has some to show. Every seed stands for one of them.
 *
 * @module
 */
import {
  createRandom,
  type GeneratorDescription,
  type GeneratorManifest,
  UserError,
} from '@killme/model';
import * as z from 'zod';
import { RENDERING } from '../http/etag.ts';

export const GALLERY_MANIFEST = 'gallery.json';

/** Pictures in one. */
export const GALLERY_PICTURES = { least: 1, most: 1_000_000 };

const manifestSchema = z.strictObject({
  format: z.literal('killme-gallery'),
  version: z.literal(1),
  /** The hash of the generator that rendered it. */
  generator: z.string(),
  rendering: z.number().int(),
  pictures: z.number().int().min(GALLERY_PICTURES.least).max(GALLERY_PICTURES.most),
});

/** A gallery that belongs to the first generator that is served. */
export interface Gallery {
  pictures: number;
  /** As the generator renders it. */
  image: GeneratorManifest['image'];
  /** The seed whose picture any seed gets, see gallerySeed. */
  seedOf(seed: string): string;
  /** The PNG of a seed that `seedOf` gave. */
  read(seed: string): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * The seed whose picture any seed gets in a gallery: a number from 0 to `pictures` − 1. Frozen: it is
 * the first word of SHAKE128 over the UTF-8 of `killme/gallery/v1/<seed>` that is below the greatest
 * multiple of `pictures` up to 2³², modulo `pictures`.
 */
export const gallerySeed = (seed: string, pictures: number): string =>
  String(createRandom(`killme/gallery/v1/${seed}`).integers(1, pictures)[0]!);

/** The file of a seed that `seedOf` gave. */
export const galleryFile = (seed: string) => `${seed}.png`;

export const galleryManifest = (generator: string, pictures: number): string => {
  const manifest: z.infer<typeof manifestSchema> = {
    format: 'killme-gallery',
    version: 1,
    generator,
    rendering: RENDERING,
    pictures,
  };
  return `${JSON.stringify(manifest, null, 1)}\n`;
};

/**
 * @param readFile gives the bytes of one of its files by name
 * @param generator that is served
 * @throws UserError in one line when it is not a gallery, or not one of this generator.
 */
export async function openGallery(
  readFile: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
  generator: GeneratorDescription,
): Promise<Gallery> {
  const text = new TextDecoder().decode(await readFile(GALLERY_MANIFEST));
  const { pictures, ...made } = parseManifest(text);
  if (made.generator !== generator.hash || made.rendering !== RENDERING) {
    throw new UserError(
      'the gallery was made by another generator than the first that is served, or by another version: ' +
        'make it again with `npm run prerender -- --generator DIR`',
    );
  }
  return {
    pictures,
    image: generator.manifest.image,
    seedOf: (seed) => gallerySeed(seed, pictures),
    read: (seed) => readFile(galleryFile(seed)),
  };
}

function parseManifest(text: string): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      `${GALLERY_MANIFEST} is not the manifest of a gallery: make one with \`npm run prerender\``,
    );
  }
}
