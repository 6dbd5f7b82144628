import { type GeneratorManifest, moveLatent, type Picture } from '@killme/model';
import { decode } from 'fast-png';
import { createFactory } from 'hono/factory';
import type { z } from 'zod';
import type { Gallery } from '../generator/gallery.ts';
import { readLatent, readMoves, writeMoves } from '../generator/latents.ts';
import type { Models } from '../generator/registry.ts';
import { imgParameters, query } from '../http/query.ts';
import { resample } from '../images/resample.ts';
import type { ImageResponder, Renderer } from '../render/render.ts';
import { redirectToRandomSeed } from './random-seed.ts';

type ImgParameters = z.infer<typeof imgParameters>;

/** `GET /img?seed=` or `?z=`: the character of a seed or latent; without one, a redirect to a random seed. */
export const img = (responder: ImageResponder, models: Models) =>
  createFactory().createHandlers(query(imgParameters), async (c) => {
    const parameters = c.req.valid('query');
    const { seed, z, move } = parameters;
    if (seed === undefined && z === undefined) return redirectToRandomSeed(c);
    const model = await models.find(parameters.model);
    const gallery = await model.loadGallery();
    const request = { context: c, model, route: 'img', pictures: 1, words: [seed ?? 'latent'] };
    // A gallery has each seed in its own class only.
    const asIs = seed !== undefined && move === undefined && parameters.class === undefined;
    if (gallery && asIs) {
      return responder.respond({ ...request, ...fromGallery(gallery, { ...parameters, seed }) });
    }
    const { manifest } = await model.describe();
    return responder.respond({ ...request, ...rendered(manifest, parameters) });
  });

/** The picture that a seed stands for. */
function fromGallery(gallery: Gallery, { seed, ...options }: ImgParameters & { seed: string }) {
  const name = gallery.seedOf(seed);
  const { format, size = gallery.size } = options;
  const ready = format === 'png' && size === gallery.size;
  return {
    parameters: { seed: name, ...options },
    source: 'gallery' as const,
    ready,
    async make({ encodeStill }: Renderer) {
      const png = await gallery.read(name);
      return ready ? png : encodeStill(await resample(toPicture(png), size), format);
    },
  };
}

function rendered(manifest: GeneratorManifest, { seed, z, move, ...options }: ImgParameters) {
  const { latent: space } = manifest;
  const latent = z === undefined ? undefined : readLatent('z', z, space);
  const moves = readMoves(move ?? [], manifest);
  return {
    parameters: { seed, z, move: writeMoves(move), ...options },
    async make({ latentOf, renderLatents, encodeStill }: Renderer) {
      const [picture] = await renderLatents([moveLatent(latent ?? latentOf(seed!), moves, space)]);
      return encodeStill(picture!, options.format);
    },
  };
}

function toPicture(png: Uint8Array): Picture {
  const { width, height, data } = decode(png);
  return { width, height, channels: 3, data: Uint8Array.from(data) };
}
