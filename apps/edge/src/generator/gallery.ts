/**
 * A gallery: pictures that were made once, by scripts/prerender.ts, so that a server without the
 * time to render has some to show. Every seed stands for one of them. Its folder has
 *
 * - `gallery.json`, the manifest
 * - `g/<16 digits of the generator's hash>/<number>.png`, at the addresses that they have everywhere
 * - `_headers`, for servers of static files that know such a file
 * - `generator/`, whose pictures they are
 *
 * @module
 */
import { type GeneratorDescription, type GeneratorManifest, UserError } from '@killme/model';
import * as z from 'zod';
import { galleryFile, galleryPicture } from '../client.ts';
import { FOR_EVER, OPEN_HEADERS, RENDERING } from '../http/etag.ts';
import { pictureHeaders } from '../http/picture-headers.ts';

export const GALLERY_MANIFEST = 'gallery.json';

/** Where servers of static files look for rules about headers. */
export const HEADERS_FILE = '_headers';

/** Where a gallery has its generator. */
export const GALLERY_GENERATOR = 'generator';

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

/** A gallery that belongs to a generator that is served. */
export interface Gallery {
  pictures: number;
  /** As the generator renders it. */
  image: GeneratorManifest['image'];
  /** The seed whose picture any seed gets: a number from 0 to `pictures` − 1, see galleryPicture. */
  seedOf(seed: string): string;
  /** The PNG of a seed that `seedOf` gave. */
  read(seed: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** Gives the bytes of a file of a gallery by name. */
type ReadFile = (name: string) => Promise<Uint8Array<ArrayBuffer>>;

/** A gallery whose manifest was checked. */
export const createGallery = (
  pictures: number,
  { manifest, hash }: GeneratorDescription,
  readFile: ReadFile,
): Gallery => ({
  pictures,
  image: manifest.image,
  seedOf: (seed) => `${galleryPicture(seed, pictures)}`,
  read: (seed) => readFile(galleryFile(hash, Number(seed))),
});

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
 * @param generator that is served
 * @param options.kept it is served for its addresses alone: pictures that older code rendered stay.
 * @throws UserError in one line when it is not a gallery, or not one of this generator.
 */
export async function openGallery(
  readFile: ReadFile,
  generator: GeneratorDescription,
  { kept = false }: { kept?: boolean | undefined } = {},
): Promise<Gallery> {
  const text = new TextDecoder().decode(await readFile(GALLERY_MANIFEST));
  const { pictures, ...made } = parseManifest(text);
  if (made.generator !== generator.hash || (made.rendering !== RENDERING && !kept)) {
    throw new UserError(
      'the gallery was made by another generator than the one that is served, or by another version: ' +
        'make it again with `npm run prerender -- --generator DIR`',
    );
  }
  return createGallery(pictures, generator, readFile);
}

/** What a server of static files sends with the pictures, as a rule of Cloudflare's `_headers`. */
export function galleryHeaders({ manifest, hash }: GeneratorDescription): string {
  const headers = { ...pictureHeaders(manifest), ...OPEN_HEADERS, ...FILE_HEADERS };
  const lines = Object.entries(headers).map(([name, value]) => `  ${name}: ${value}\n`);
  return `/${dirname(galleryFile(hash, 0))}/*\n${lines.join('')}`;
}

/** Of a picture that is a file, wherever it is served. */
export const FILE_HEADERS = { 'Cache-Control': FOR_EVER, 'Killme-Source': 'gallery' };

const dirname = (path: string) => path.slice(0, path.lastIndexOf('/'));

function parseManifest(text: string): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      `${GALLERY_MANIFEST} is not the manifest of a gallery: make one with \`npm run prerender\``,
    );
  }
}
