import { type LatentSpace, lerp, type Picture } from '@killme/model';
import { createFactory } from 'hono/factory';
import { withClassOf } from '../generator/latents.ts';
import type { Models } from '../generator/registry.ts';
import { ogParameters, query } from '../http/query.ts';
import type { ImageResponder, Renderer } from '../render/render.ts';
import { redirectToRandomSeed } from './random-seed.ts';

/** What Open Graph's readers show uncropped. */
const CARD = { width: 1200, height: 630 };
const MARGIN = 40;
const PORTRAIT = CARD.height - 2 * MARGIN;
const ROWS = 3;
const RELATIVE = 170;
/** The gap between the relatives. */
const GAP = (PORTRAIT - ROWS * RELATIVE) / (ROWS - 1);
const COLUMNS = 3;

/** How far the relatives are from the seed, on the way to a seed of their own, whose class they do not take. */
const DISTANCE = 0.45;

/** `GET /og?seed=`: a card of the seed's character, large, with nine like it beside it. */
export const og = (responder: ImageResponder, models: Models) =>
  createFactory().createHandlers(query(ogParameters), async (c) => {
    const { seed, ...options } = c.req.valid('query');
    if (seed === undefined) return redirectToRandomSeed(c);
    const model = await models.find(options.model);
    const { manifest } = await model.describe();
    return responder.respond({
      context: c,
      model,
      route: 'og',
      parameters: { seed, ...options },
      pictures: 1,
      renderings: 1 + ROWS * COLUMNS,
      words: ['card', seed],
      make: async (renderer) =>
        renderer.encodeStill(await renderCard(renderer, seed, manifest.latent), options.format),
    });
  });

async function renderCard(
  { latentOf, renderLatents }: Renderer,
  seed: string,
  space: LatentSpace,
): Promise<Picture> {
  const latent = latentOf(seed);
  const relativeLatents = Array.from({ length: ROWS * COLUMNS }, (_, i) =>
    lerp(latent, withClassOf(latent, latentOf(`${seed}/${i}`), space), DISTANCE),
  );
  const [portrait] = await renderLatents([latent], PORTRAIT);
  const relatives = await renderLatents(relativeLatents, RELATIVE);
  const card = plain(backgroundOf(portrait!));
  paste(card, portrait!, MARGIN, MARGIN);
  const left = CARD.width - MARGIN - COLUMNS * RELATIVE - (COLUMNS - 1) * GAP;
  relatives.forEach((picture, i) => {
    const column = i % COLUMNS;
    const row = Math.floor(i / COLUMNS);
    paste(card, picture, left + column * (RELATIVE + GAP), MARGIN + row * (RELATIVE + GAP));
  });
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

function paste(card: Picture, { width, height, data }: Picture, left: number, top: number): void {
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width * 3, (y + 1) * width * 3);
    card.data.set(row, ((top + y) * card.width + left) * 3);
  }
}
