import { crossFade, type LatentSpace, lerp, type Picture, slerp, tile } from '@killme/model';
import type { TypedResponse } from 'hono';
import { createFactory } from 'hono/factory';
import type { z } from 'zod';
import { readLatent } from '../generator/latents.ts';
import type { Models } from '../generator/registry.ts';
import { morphParameters, query } from '../http/query.ts';
import { encodeApng } from '../images/apng.ts';
import { toBase64 } from '../images/bytes.ts';
import { encodeGif } from '../images/gif.ts';
import { encodePng } from '../images/png.ts';
import type { ImageResponder, Made, Renderer } from '../render/render.ts';
import type { Walk } from './docs/openapi-document.ts';

type MorphParameters = z.infer<typeof morphParameters>;

/** Ten pictures a second: a walk of ten steps lasts as long as one looks at it. */
const FRAME_MS = 100;

/** `GET /morph?from=&to=&steps=`: the article's strip, one character turning into another. */
export const morph = (responder: ImageResponder, models: Models) =>
  createFactory().createHandlers(query(morphParameters), async (c) => {
    const parameters = c.req.valid('query');
    const { via = [], steps, space } = parameters;
    const model = await models.find(parameters.model);
    const { manifest } = await model.describe();
    const stops = stopsOf(parameters, manifest.latent);
    const response = await responder.respond({
      context: c,
      model,
      route: 'morph',
      // A cross-fade has no path: asked for in two ways it is one picture.
      parameters: space === 'pixel' ? { ...parameters, path: 'linear' } : parameters,
      pictures: steps,
      renderings: space === 'latent' ? steps : stops.length,
      words: ['morph', parameters.from ?? 'latent', ...via, parameters.to ?? 'latent'],
      make: async (renderer) => encode(await renderSteps(renderer, stops, parameters), parameters),
    });
    // What a client that asks for JSON reads; the other formats have no type.
    return response as Response & TypedResponse<Walk, 200, 'json'>;
  });

/** One picture of a walk. */
interface Step {
  /** 0 at the first stop, 1 at the next, and so on. */
  position: number;
  /** Where it lies in latent space; a cross-fade has no such place. */
  latent?: Float32Array;
  picture: Picture;
}

function encode(steps: readonly Step[], { format, loop }: MorphParameters): Made {
  const frames = steps.map(({ picture }) => picture);
  const animation = { frames, frameMs: FRAME_MS, repeat: loop };
  switch (format) {
    case 'png':
      return encodePng(tile(frames, frames.length));
    case 'apng':
      return encodeApng(animation);
    case 'gif':
      return encodeGif(animation);
    case 'json':
      return encodeJson(steps);
  }
}

function encodeJson(steps: readonly Step[]): string {
  const { width, height } = steps[0]!.picture;
  const frames = steps.map(({ position, latent, picture }) => ({
    position,
    ...(latent ? { latent: [...latent] } : {}),
    image: `data:image/png;base64,${toBase64(encodePng(picture))}`,
  }));
  return `${JSON.stringify({ width, height, frames } satisfies Walk)}\n`;
}

/** The places that a walk passes, in its order: seeds, and latents themselves. */
function stopsOf(
  { from = '', zfrom, via = [], to = '', zto, loop }: MorphParameters,
  space: LatentSpace,
): (string | Float32Array)[] {
  const start = zfrom === undefined ? from : readLatent('zfrom', zfrom, space);
  const end = zto === undefined ? to : readLatent('zto', zto, space);
  return [start, ...via, end, ...(loop ? [start] : [])];
}

async function renderSteps(
  { latentOf, renderLatents }: Renderer,
  places: readonly (string | Float32Array)[],
  { steps, space, path, loop }: MorphParameters,
): Promise<Step[]> {
  const stops = places.map((place) => (typeof place === 'string' ? latentOf(place) : place));
  const positions = placesOnWalk({ steps, stops: stops.length, loop });
  if (space === 'latent') {
    const interpolate = path === 'slerp' ? slerp : lerp;
    const latents = positions.map(({ stop, t }) => interpolate(stops[stop]!, stops[stop + 1]!, t));
    const pictures = await renderLatents(latents);
    return positions.map(({ stop, t }, i) => ({
      position: stop + t,
      latent: latents[i]!,
      picture: pictures[i]!,
    }));
  }
  const pictures = await renderLatents(stops);
  return positions.map(({ stop, t }) => ({
    position: stop + t,
    picture: crossFade(pictures[stop]!, pictures[stop + 1]!, t),
  }));
}

/**
 * `steps` places evenly spaced on a walk of several stops: at `t` (0 … 1) between a stop and the next
 * one. Both ends are among them, except that a loop, whose last stop is the first again, ends one
 * step before it: played on and on, no picture comes twice in a row.
 */
function placesOnWalk({ steps, stops, loop }: { steps: number; stops: number; loop: boolean }) {
  const intervals = loop ? steps : steps - 1;
  return Array.from({ length: steps }, (_, i) => {
    const position = (i * (stops - 1)) / intervals;
    const stop = Math.min(stops - 2, Math.floor(position));
    return { stop, t: position - stop };
  });
}
