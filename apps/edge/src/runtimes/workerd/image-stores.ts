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
  async find(address) {
    return (await cache.match(address))?.body ?? undefined;
  },
  keep: (address, { bytes, contentType }) =>
    cache.put(
      address,
      new Response(bytes, {
        headers: { 'Cache-Control': FOR_EVER, 'Content-Type': contentType },
      }),
    ),
});

/** A bucket: one for all data centres, and nothing in it expires by itself. */
export const bucketStore = (bucket: R2Bucket): ImageStore => ({
  name: 'r2',
  async find(address) {
    return (await bucket.get(keyOf(address)))?.body;
  },
  async keep(address, { bytes, contentType }) {
    await bucket.put(keyOf(address), bytes, { httpMetadata: { contentType } });
  },
});

/** Begins with the generator's hash, so that what an old one made can be deleted by its prefix. */
const keyOf = ({ pathname }: URL) => pathname.replace('/kept/', '');
