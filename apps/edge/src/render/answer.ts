/**
 * What an answer with pictures says beside its bytes: tag, key in the stores, metadata, headers.
 *
 * @module
 */
import type { GeneratorManifest } from '@killme/model';
import { pinnedAddress, pinOf } from '../generator/pin.ts';
import { canonicalQuery } from '../http/canonical-query.ts';
import { attachment } from '../http/content-disposition.ts';
import { entityTag } from '../http/etag.ts';
import { pictureHeaders } from '../http/picture-headers.ts';
import type { Metadata } from '../images/metadata.ts';
import { CONTENT_TYPES } from './encode.ts';
import type { Source } from './image-store.ts';
import type { PicturePlan, PlannedFor } from './plan.ts';

/** A body, which HEAD does without, and where it comes from. */
export interface Answer {
  body?: BodyInit | undefined;
  source: Source;
}

/** Names the bytes of the answer, however its query is written. */
export const tagOf = (
  { route, identity }: PicturePlan,
  { hash, gallery }: PlannedFor,
): Promise<string> =>
  entityTag(hash, `${gallery?.pictures ?? ''}`, route, canonicalQuery(identity));

/** Under it stores keep the answer, whatever the server is called. */
export const keyOf = ({ route, output }: PicturePlan, { hash }: PlannedFor, tag: string): string =>
  `${hash}/${route}/${tag.replaceAll('"', '')}.${output.format}`;

/** What the file says of where it is from, if it is to say it. */
export function metadataOf(
  { route, identity, title, pictures }: PicturePlan,
  { hash, gallery, manifest: { licence, credit } }: PlannedFor,
): Metadata | undefined {
  const { metadata, ...query } = identity;
  if (metadata === 'none') return undefined;
  // A picture of a gallery is its generator's, of a seed of its own.
  const pin = pinOf({ hash, gallery: pictures.from === 'gallery' ? undefined : gallery });
  return { title, address: pinnedAddress(pin, route, query), generator: hash, licence, credit };
}

/** What the headers say of the file; a 304 does without it. */
export function describeFile(
  headers: Headers,
  { output: { format }, fileName }: PicturePlan,
  manifest: GeneratorManifest,
): void {
  headers.set('Content-Type', CONTENT_TYPES[format]);
  for (const [name, value] of Object.entries(pictureHeaders(manifest))) headers.set(name, value);
  if (fileName) headers.set('Content-Disposition', attachment(format, ...fileName));
}

/** A file of the gallery that is the answer as it is. */
export async function findInGallery({ pictures }: PicturePlan): Promise<Answer | undefined> {
  if (pictures.from !== 'gallery' || !pictures.isFile) return undefined;
  return { body: await pictures.gallery.read(pictures.seed), source: 'gallery' };
}

/** The answer without a body, before anything is rendered. */
export const unmade = ({ pictures }: PicturePlan): Answer => ({
  source: pictures.from === 'gallery' ? 'gallery' : 'rendered',
});

/** Sends an answer; none of its body to HEAD. */
export async function send(
  { method }: Request,
  headers: Headers,
  { body, source }: Answer,
): Promise<Response> {
  headers.set('Killme-Source', source);
  if (method !== 'HEAD') return new Response(body ?? null, { headers });
  if (body instanceof ReadableStream) await body.cancel();
  return new Response(null, { headers });
}
