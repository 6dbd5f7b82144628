/**
 * The stores that Cloudflare has.
 *
 * @module
 */
import type { R2Bucket } from 'cloudflare:workers';
import { FOR_EVER } from '../../http/etag.ts';
import type { ImageStore } from '../../render/image-store.ts';

/** Cloudflare's cache of the data centre that the worker runs in. */
export const cacheStore = (cache: Cache): ImageStore => ({
  name: 'cache',
  async find(key) {
    return (await cache.match(addressOf(key)))?.body ?? undefined;
  },
  keep: (key, { bytes, contentType }) =>
    cache.put(
      addressOf(key),
      new Response(bytes, {
        headers: { 'Cache-Control': FOR_EVER, 'Content-Type': contentType },
      }),
    ),
});

/** A bucket: one for all data centres, and nothing in it expires by itself. */
export const bucketStore = (bucket: R2Bucket): ImageStore => ({
  name: 'r2',
  async find(key) {
    return (await bucket.get(key))?.body;
  },
  // A key begins with the generator's hash: pictures of an old one can be deleted by this prefix.
  async keep(key, { bytes, contentType }) {
    await bucket.put(key, bytes, { httpMetadata: { contentType } });
  },
});

/** The Cache API takes addresses only. Not one of the server's own hosts: a picture is the same under all. */
const addressOf = (key: string) => `https://pictures.invalid/${key}`;
