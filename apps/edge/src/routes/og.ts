import { lerp, type Picture } from '@killme/model';
import { createFactory } from 'hono/factory';
import type { z } from 'zod';
import { seedLatents, withClassOf } from '../generator/latents.ts';
import { ogParameters } from '../http/parameters.ts';
import { query } from '../http/query.ts';
import { flatten } from '../images/channels.ts';
import type { ImageResponder } from '../render/image-responder.ts';
import { fileNameOf, identityOf, type PicturePlan, type PlannedFor } from '../render/plan.ts';
import { area, withLongerSide } from '../render/size.ts';
import { askedOf } from './asked.ts';
import { redirectToRandomSeed } from './random-seed.ts';

type OgParameters = z.infer<typeof ogParameters>;

/** What Open Graph's readers show uncropped. */
const CARD = { width: 1200, height: 630 };
const MARGIN = 40;
const PORTRAIT = CARD.height - 2 * MARGIN;
const ROWS = 3;
const COLUMNS = 3;
const RELATIVE = 170;
/** Between the relatives. */
const GAP = (PORTRAIT - ROWS * RELATIVE) / (ROWS - 1);

/** How far the relatives are on the way from the seed to a seed of their own, whose class they do not take. */
const DISTANCE = 0.45;

/** `GET /og?seed=`: a card of the seed's character, large, with nine like it beside it. */
export const og = ({ respond }: ImageResponder) =>
  createFactory().createHandlers(query(ogParameters), async (c) => {
    const { seed, ...options } = c.req.valid('query');
    if (seed === undefined) return redirectToRandomSeed(c);
    return respond(askedOf(c), { seed, ...options }, planOg);
  });

function planOg(parameters: OgParameters & { seed: string }, generator: PlannedFor): PicturePlan {
  const { seed, format } = parameters;
  const { image, latent: space } = generator.manifest;
  const { latentOf } = seedLatents(parameters.class, generator);
  const relatives = Array.from({ length: ROWS * COLUMNS }, (_, i) => `${seed}/${i}`);
  return {
    route: 'og',
    identity: identityOf(parameters),
    title: seed,
    pictures: {
      from: 'generator',
      sizes: [
        withLongerSide(image, PORTRAIT),
        ...relatives.map(() => withLongerSide(image, RELATIVE)),
      ],
      latents() {
        const latent = latentOf(seed);
        const latentOfRelative = (name: string) =>
          lerp(latent, withClassOf(latent, latentOf(name), space), DISTANCE);
        return [latent, ...relatives.map(latentOfRelative)];
      },
    },
    encoded: { pictures: 1, pixels: area(CARD) },
    output: { format, compose: composeCard },
    fileName: fileNameOf(parameters, ['card', seed]),
  };
}

/** @param pictures the portrait, then its relatives. */
function composeCard(pictures: readonly Picture[]): Picture {
  const [portrait, ...relatives] = pictures.map(flatten);
  const card = plain(backgroundOf(portrait!));
  paste(card, portrait!, { left: MARGIN, top: MARGIN, side: PORTRAIT });
  const left = CARD.width - MARGIN - COLUMNS * RELATIVE - (COLUMNS - 1) * GAP;
  for (const [i, picture] of relatives.entries()) {
    const column = i % COLUMNS;
    const row = Math.floor(i / COLUMNS);
    paste(card, picture, {
      left: left + column * (RELATIVE + GAP),
      top: MARGIN + row * (RELATIVE + GAP),
      side: RELATIVE,
    });
  }
  return card;
}

/** The colour near the top left corner; generators are often wrong at the very border. */
function backgroundOf({ width, data }: Picture): Uint8Array {
  const inset = Math.round(width / 20);
  const at = (inset * width + inset) * 3;
  return data.subarray(at, at + 3);
}

/** A card of one colour, `[red, green, blue]`: the portrait's own background goes on around it. */
function plain(colour: Uint8Array): Picture {
  const data = new Uint8Array(CARD.width * CARD.height * 3);
  for (let at = 0; at < data.length; at += 3) data.set(colour, at);
  return { ...CARD, channels: 3, data };
}

/** Puts a picture in the middle of a square of the card. */
function paste(
  card: Picture,
  { width, height, data }: Picture,
  { left, top, side }: { left: number; top: number; side: number },
): void {
  const x = left + Math.floor((side - width) / 2);
  const y = top + Math.floor((side - height) / 2);
  for (let row = 0; row < height; row++) {
    const pixels = data.subarray(row * width * 3, (row + 1) * width * 3);
    card.data.set(pixels, ((y + row) * card.width + x) * 3);
  }
}
