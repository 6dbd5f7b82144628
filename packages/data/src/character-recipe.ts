import * as adventurer from '@dicebear/adventurer';
import { createAvatar } from '@dicebear/core';
import { createRandom } from '@killme/model';
import sharp from 'sharp';

/** What must go with every copy of the icons, and with images of a generator trained on them. */
export const CHARACTERS_CREDIT =
  'Remix of "Adventurer" (https://www.figma.com/community/file/1184595184137881796) by Lisa ' +
  'Wischofsky, licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).';

/** To be raised with any change of the recipe: icons of another version are drawn anew. */
export const RECIPE_VERSION = 1;

export const ICON_SIZE = 128;

interface Character {
  name: string;
  faces: number;
  hair: NonNullable<adventurer.Options['hair']>[number];
  hairColor: string;
  skinColor: string;
}

/** 686 faces of a few people, unevenly many of each: the structure of the article's set. */
export const CHARACTERS: readonly Character[] = [
  { name: 'hazel', faces: 250, hair: 'long16', hairColor: '562306', skinColor: 'f2d3b1' },
  { name: 'sunny', faces: 220, hair: 'long01', hairColor: 'e5d7a3', skinColor: 'f2d3b1' },
  { name: 'raven', faces: 120, hair: 'long25', hairColor: '0e0e0e', skinColor: 'ecad80' },
  { name: 'rosie', faces: 96, hair: 'short04', hairColor: 'dba3be', skinColor: 'f2d3b1' },
];

/** Plain pale colours that no character's hair or skin has. */
const BACKGROUNDS = ['b6e3f4', 'c0aede', 'd1d4f9', 'ffd5dc', 'c9ebc4'];

/** Percent of DiceBear's own size: the head fills the icon, no hair is cut at the sides. */
const SCALE = 112;

export interface Face {
  /** As the article numbers its files: `hazel/hazel_001.png`. */
  path: string;
  svg: string;
}

/** All faces as drawings, in a fixed order; eyes, brows and mouth follow from the seed `name/i`. */
export function* drawFaces(): Generator<Face> {
  for (const { name, faces, hair, hairColor, skinColor } of CHARACTERS) {
    const random = createRandom(`killme characters ${RECIPE_VERSION}/${name}`);
    const flips = random.integers(faces, 2);
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
        flip: flips[i] === 1,
        scale: SCALE,
        backgroundColor: [BACKGROUNDS[backgrounds[i]!]!],
        size: ICON_SIZE,
      });
      const number = String(i + 1).padStart(3, '0');
      yield { path: `${name}/${name}_${number}.png`, svg: avatar.toString() };
    }
  }
}

/** A face as a PNG of `ICON_SIZE` pixels a side, without transparency. */
export function renderFace({ svg }: Face): Promise<Buffer> {
  return sharp(Buffer.from(svg)).flatten({ background: '#ffffff' }).png().toBuffer();
}
