import {
  crossFade,
  defaultPath,
  type LatentSpace,
  lerp,
  type Picture,
  slerp,
  tile,
  type WalkPath,
} from '@killme/model';
import { createFactory } from 'hono/factory';
import type { z } from 'zod';
import { readLatent, seedLatents } from '../generator/latents.ts';
import { morphParameters } from '../http/parameters.ts';
import { query } from '../http/query.ts';
import type { Pause } from '../images/pause.ts';
import type { Walk } from '../images/walk.ts';
import type { ImageResponder } from '../render/image-responder.ts';
import {
  fileNameOf,
  identityOf,
  nameStops,
  type Output,
  type PicturePlan,
  type PlannedFor,
} from '../render/plan.ts';
import { area, sizeOfEach } from '../render/size.ts';
import { askedOf } from './asked.ts';

type MorphParameters = z.infer<typeof morphParameters>;

/** Ten pictures a second: a walk of ten steps lasts as long as one looks at it. */
const FRAME_MS = 100;

/**
 * `GET /morph?from=&to=&steps=`: the article's strip, one character turning into another.
 * @param path parameters that the end of the path says, see path-parameters.ts.
 */
export const morph = ({ respond }: ImageResponder, path: readonly string[] = []) =>
  createFactory().createHandlers(query(morphParameters, path), async (c) =>
    respond(askedOf(c), c.req.valid('query'), planMorph),
  );

function planMorph(
  { path: named, ...parameters }: MorphParameters,
  generator: PlannedFor,
): PicturePlan {
  const { steps, space, loop, via = [] } = parameters;
  const { manifest } = generator;
  const stops = stopsOf(parameters, manifest.latent);
  const { latentOf } = seedLatents(parameters.class, generator);
  const stopLatents = () => stops.map((stop) => (typeof stop === 'string' ? latentOf(stop) : stop));
  const places = placesOnWalk({ steps, stops: stops.length, loop });
  const isFade = space === 'pixel';
  const path = named ?? defaultPath(manifest.latent);
  const size = sizeOfEach(parameters.size, steps, manifest.image);
  const pixels = steps * area(size);
  const latents = () => (isFade ? stopLatents() : interpolate(stopLatents(), places, path));
  const walk = isFade ? fade(places) : walkOf(places, latents);
  return {
    route: 'morph',
    // A cross-fade has no path: asked for in two ways it is one picture.
    identity: identityOf(
      { ...parameters, path: isFade ? undefined : path },
      { size, own: manifest.image },
    ),
    title: nameStops([parameters.from, ...via, parameters.to]),
    pictures: {
      from: 'generator',
      sizes: Array.from({ length: isFade ? stops.length : steps }, () => size),
      latents,
    },
    fadedPixels: isFade ? pixels : undefined,
    encoded: { pictures: parameters.format === 'png' ? 1 : steps, pixels },
    output: outputOf(parameters, walk),
    fileName: fileNameOf(parameters, [
      'morph',
      parameters.from ?? 'latent',
      ...via,
      parameters.to ?? 'latent',
    ]),
  };
}

/** Makes a walk of the rendered pictures. */
type MakeWalk = (pictures: readonly Picture[], pause: Pause) => Promise<Walk>;

function outputOf(
  { format, loop }: Pick<MorphParameters, 'format' | 'loop'>,
  walk: MakeWalk,
): Output {
  if (format === 'json') return { format, compose: walk };
  const frames: (...args: Parameters<MakeWalk>) => Promise<Picture[]> = async (...args) =>
    (await walk(...args)).map(({ picture }) => picture);
  if (format === 'png') {
    return {
      format,
      async compose(...args) {
        const pictures = await frames(...args);
        return tile(pictures, pictures.length);
      },
    };
  }
  return {
    format,
    compose: async (...args) => ({
      frames: await frames(...args),
      frameMs: FRAME_MS,
      repeat: loop,
    }),
  };
}

/** The places that a walk passes, in its order: seeds, and latents themselves. */
function stopsOf(
  { from = '', zfrom, via = [], to = '', zto, loop }: Omit<MorphParameters, 'path'>,
  space: LatentSpace,
): (string | Float32Array)[] {
  const start = zfrom === undefined ? from : readLatent('zfrom', zfrom, space);
  const end = zto === undefined ? to : readLatent('zto', zto, space);
  return [start, ...via, end, ...(loop ? [start] : [])];
}

/** A place on a walk: at `t` (0 … 1) between a stop and the next one. */
interface Place {
  stop: number;
  t: number;
}

/**
 * `steps` places evenly spaced on a walk of several stops. Both ends are among them, except that a
 * loop, whose last stop is the first again, ends one step before it: played on and on, no picture
 * comes twice in a row.
 */
function placesOnWalk({
  steps,
  stops,
  loop,
}: {
  steps: number;
  stops: number;
  loop: boolean;
}): Place[] {
  const intervals = loop ? steps : steps - 1;
  return Array.from({ length: steps }, (_, i) => {
    const position = (i * (stops - 1)) / intervals;
    const stop = Math.min(stops - 2, Math.floor(position));
    return { stop, t: position - stop };
  });
}

function interpolate(
  stops: readonly Float32Array[],
  places: readonly Place[],
  path: WalkPath,
): Float32Array[] {
  const between = path === 'slerp' ? slerp : lerp;
  return places.map(({ stop, t }) => between(stops[stop]!, stops[stop + 1]!, t));
}

/** The picture of each place, and its latent. */
const walkOf =
  (places: readonly Place[], latents: () => readonly Float32Array[]): MakeWalk =>
  async (pictures) => {
    const latentOfEach = latents();
    return places.map(({ stop, t }, i) => ({
      position: stop + t,
      latent: latentOfEach[i]!,
      picture: pictures[i]!,
    }));
  };

/** The pictures of the stops, and those between them pixel by pixel. */
const fade =
  (places: readonly Place[]): MakeWalk =>
  async (pictures, pause) => {
    const walk: { position: number; picture: Picture }[] = [];
    for (const { stop, t } of places) {
      await pause();
      walk.push({
        position: stop + t,
        picture: crossFade(pictures[stop]!, pictures[stop + 1]!, t),
      });
    }
    return walk;
  };
