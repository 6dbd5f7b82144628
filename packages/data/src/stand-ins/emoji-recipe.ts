import { createRequire } from 'node:module';
import { z } from 'zod';
import { type Icon, type IconRecipe, iconPath } from './icon-recipe.ts';

/** Iconify's names of Noto's icons; each head exists in Noto's yellow and in five skin tones. */
const HEADS = `artist astronaut baby boy child construction-worker cook detective elf factory-worker
  farmer firefighter girl guard health-worker judge mage man man-bald man-beard man-blond-hair
  man-construction-worker man-cook man-curly-hair man-detective man-elf man-farmer man-firefighter
  man-guard man-health-worker man-in-tuxedo man-mage man-mechanic man-office-worker man-pilot
  man-police-officer man-red-hair man-student man-vampire man-white-hair old-man old-woman
  older-person person person-beard person-blond-hair person-curly-hair person-red-hair
  person-with-crown person-with-skullcap prince princess santa-claus woman woman-bald
  woman-blond-hair woman-curly-hair woman-red-hair woman-white-hair woman-with-headscarf`.split(
  /\s+/,
);
const TONES = ['', 'light', 'medium-light', 'medium', 'medium-dark', 'dark'];

/** Faces and animals' faces that fill the icon, by a part of their names. */
const SMILEYS = /face|-cat$|cat-with|monkey$|star-struck|laughing|head-shaking|exploding-head/;

const emojiSet = z.object({ icons: z.record(z.string(), z.object({ body: z.string() })) });
const emojiCategories = z.object({
  categories: z.object({ 'Smileys & Emotion': z.array(z.string()) }),
});

const HAIR = /-(bald|beard|(blond|curly|red|white)-hair)$/;

/** The tone stands before the hair: `man-dark-skin-tone-red-hair`, but `mage-dark-skin-tone`. */
function headName(head: string, tone: string): string {
  if (tone === '') return head;
  const hair = HAIR.exec(head)?.[0] ?? '';
  return `${head.slice(0, head.length - hair.length)}-${tone}-skin-tone${hair}`;
}

const read = createRequire(import.meta.url);

/**
 * Emoji in two classes that have little in common: heads of people with shoulders, hair and hats in
 * six skin tones, and round smileys. Noto's drawings, on white.
 */
export const EMOJI: IconRecipe = {
  title: 'emoji',
  version: 1,
  count: 483,
  licence: 'Apache-2.0',
  credit:
    'Noto Emoji (https://github.com/googlefonts/noto-emoji), copyright Google LLC, licensed under ' +
    'Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0); rendered to PNG from @iconify-json/noto.',
  icons: listEmoji,
};

function* listEmoji(size: number): Generator<Icon> {
  const { icons } = emojiSet.parse(read('@iconify-json/noto/icons.json'));
  const { categories } = emojiCategories.parse(read('@iconify-json/noto/metadata.json'));
  const classes = {
    heads: HEADS.flatMap((head) => TONES.map((tone) => headName(head, tone))),
    smileys: categories['Smileys & Emotion'].filter((name) => SMILEYS.test(name)),
  };
  for (const [className, names] of Object.entries(classes)) {
    for (const [place, name] of names.entries()) {
      const { body } = icons[name]!;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 128 128">${body}</svg>`;
      yield { path: iconPath(className, place), svg };
    }
  }
}
