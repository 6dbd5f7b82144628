import * as adventurer from '@dicebear/adventurer';
import { createAvatar } from '@dicebear/core';
import { createRandom } from '@killme/model';
import { type Icon, type IconRecipe, iconPath } from './icon-recipe.ts';

interface Character {
  name: string;
  faces: number;
  hair: NonNullable<adventurer.Options['hair']>[number];
  hairColor: string;
  skinColor: string;
}

const PEOPLE: readonly Character[] = [
  { name: 'hazel', faces: 250, hair: 'long16', hairColor: '562306', skinColor: 'f2d3b1' },
  { name: 'sunny', faces: 220, hair: 'long01', hairColor: 'e5d7a3', skinColor: 'f2d3b1' },
  { name: 'raven', faces: 120, hair: 'long25', hairColor: '0e0e0e', skinColor: 'ecad80' },
  { name: 'rosie', faces: 96, hair: 'short04', hairColor: 'dba3be', skinColor: 'f2d3b1' },
];

/** Plain pale colours that no character's hair or skin has. */
const BACKGROUNDS = ['b6e3f4', 'c0aede', 'd1d4f9', 'ffd5dc', 'c9ebc4'];

/** Percent of DiceBear's own size: the head fills the icon, no hair is cut at the sides. */
const SCALE = 112;

/**
 * 686 faces of a few people, unevenly many of each: the structure of the article's set. All look the
 * same way: the article's icons, which carry text, are never mirrored either.
 */
export const CHARACTERS: IconRecipe = {
  title: 'stand-in characters',
  version: 2,
  count: PEOPLE.reduce((sum, { faces }) => sum + faces, 0),
  licence: 'CC-BY-4.0',
  credit:
    'Remix of "Adventurer" (https://www.figma.com/community/file/1184595184137881796) by Lisa ' +
    'Wischofsky, licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).',
  icons: drawFaces,
};

/** Eyes, brows and mouth follow from the seed `name/i`. */
function* drawFaces(size: number): Generator<Icon> {
  for (const { name, faces, hair, hairColor, skinColor } of PEOPLE) {
    const random = createRandom(`killme characters ${CHARACTERS.version}/${name}`);
    const backgrounds = random.integers(faces, BACKGROUNDS.length);
    for (let i = 0; i < faces; i++) {
      const avatar = createAvatar(adventurer, {
        seed: `${name}/${i}`,
        hair: [hair],
        hairColor: [hairColor],
        skinColor: [skinColor],
        earringsProbability: 0,
        glassesProbability: 5,
        features: ['blush'],
        featuresProbability: 15,
        scale: SCALE,
        backgroundColor: [BACKGROUNDS[backgrounds[i]!]!],
        size,
      });
      yield { path: iconPath(name, i), svg: avatar.toString() };
    }
  }
}
