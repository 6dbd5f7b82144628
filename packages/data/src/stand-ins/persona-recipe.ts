import { createAvatar } from '@dicebear/core';
import * as personas from '@dicebear/personas';
import { createRandom } from '@killme/model';
import { type Icon, type IconRecipe, iconPath } from './icon-recipe.ts';

interface HairStyle {
  /** The class. */
  name: string;
  people: number;
  hair: NonNullable<personas.Options['hair']>[number];
}

const HAIR_STYLES: readonly HairStyle[] = [
  { name: 'long', people: 180, hair: 'long' },
  { name: 'curly', people: 140, hair: 'curly' },
  { name: 'bangs', people: 120, hair: 'bobBangs' },
  { name: 'beanie', people: 90, hair: 'beanie' },
  { name: 'buzzcut', people: 70, hair: 'buzzcut' },
];

/** Of the style's own, those that can be distinguished at 128 pixels and from the backgrounds. */
const PARTS = {
  hairColor: ['362c47', '6c4545', 'e15c66', 'f29c65'],
  skinColor: ['eeb4a4', 'e5a07e', 'b16a5b', '623d36'],
  clothingColor: ['456dff', '54d7c7', '7555ca', '6dbb58', 'e24553', 'f3b63a'],
  body: ['squared', 'rounded', 'checkered'],
  eyes: ['open', 'sleep', 'wink', 'glasses', 'happy'],
  nose: ['mediumRound', 'smallRound'],
  mouth: ['smile', 'frown', 'surprise', 'bigSmile', 'smirk'],
  backgroundColor: ['ffffff', 'fff3c9', 'dcefff', 'e8f6dc'],
} as const satisfies personas.Options & { backgroundColor: string[] };

/** Percent of DiceBear's own size: the person fills the icon, no hair is cut at the sides. */
const SCALE = 120;

/**
 * 600 different people in classes by their hair. Where each of {@link CHARACTERS} is one person with
 * many expressions, here colours and parts change freely within a class.
 */
export const PERSONAS: IconRecipe = {
  title: 'personas',
  version: 1,
  count: HAIR_STYLES.reduce((sum, { people }) => sum + people, 0),
  licence: 'CC-BY-4.0',
  credit:
    'Remix of "Personas by Draftbit" (https://personas.draftbit.com/) by Draftbit ' +
    '(https://draftbit.com/), licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).',
  icons: drawPeople,
};

/** Every part is rendered by itself: DiceBear's own draws from seeds that are alike go together. */
function* drawPeople(size: number): Generator<Icon> {
  for (const { name, people, hair } of HAIR_STYLES) {
    const drawn = Object.entries(PARTS).map(([part, choices]) => {
      const random = createRandom(`killme personas ${PERSONAS.version}/${name}/${part}`);
      return { part, choices, places: random.integers(people, choices.length) };
    });
    for (let i = 0; i < people; i++) {
      const parts = drawn.map(({ part, choices, places }) => [part, [choices[places[i]!]!]]);
      const avatar = createAvatar(personas, {
        ...Object.fromEntries(parts),
        hair: [hair],
        facialHairProbability: 0,
        scale: SCALE,
        size,
      });
      yield { path: iconPath(name, i), svg: avatar.toString() };
    }
  }
}
