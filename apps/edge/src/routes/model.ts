import type { GeneratorDescription } from '@killme/model';
import { createFactory } from 'hono/factory';
import type { ModelFacts } from '../client.ts';
import type { Gallery } from '../generator/gallery.ts';
import { pinOf } from '../generator/pin.ts';
import type { Models } from '../generator/registry.ts';
import { entityTag, FRESH_ENOUGH, respond } from '../http/etag.ts';
import { modelParameters } from '../http/parameters.ts';
import { query } from '../http/query.ts';
import { pinIn } from './asked.ts';

/** `GET /model`: the facts of a generator; its weights are not loaded for them. */
export const model = (models: Models) =>
  createFactory().createHandlers(query(modelParameters), async (c) => {
    const naming = { ...c.req.valid('query'), pin: pinIn(c) };
    const { name, kept, describe, loadGallery } = await models.find(naming);
    const [generator, gallery, names, pinned] = await Promise.all([
      describe(),
      loadGallery(),
      models.names(),
      models.pinned(),
    ]);
    const facts = {
      ...(kept ? {} : { name }),
      pin: pinOf({ hash: generator.hash, gallery }),
      ...factsOf(generator, gallery),
      models: names,
      pinned: pinned.map((each) => ({ ...each, img: `v/${each.pin}/img` })),
    } satisfies ModelFacts;
    const text = `${JSON.stringify(facts, null, 2)}\n`;
    return respond({
      request: c.req.raw,
      tag: await entityTag('model', text),
      cacheControl: FRESH_ENOUGH,
      contentType: 'application/json',
      make: () => text,
    });
  });

function factsOf({ manifest, hash }: GeneratorDescription, gallery: Gallery | undefined) {
  const { preset, latent, image, classes, directions, training, licence, credit, shards } =
    manifest;
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  return {
    preset,
    hash,
    bytes,
    latent,
    image,
    classes,
    directions: directions.map(({ name }) => name),
    training,
    licence,
    credit,
    ...(gallery ? { gallery: { pictures: gallery.pictures } } : {}),
  };
}
