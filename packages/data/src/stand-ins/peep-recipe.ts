import { createAvatar } from '@dicebear/core';
import * as openPeeps from '@dicebear/open-peeps';
import { createRandom } from '@killme/model';
import { type Icon, type IconRecipe, iconPath } from './icon-recipe.ts';

/** The classes: 48 shapes of hair and hats in five groups that look unlike each other. */
const HEADS = {
  curly: 'afro bantuKnots bun bun2 buns cornrows cornrows2 dreads1 dreads2 longAfro twists twists2',
  hats: 'bear hatBeanie hatHip hijab turban',
  long: 'bangs bangs2 grayMedium long longBangs longCurly medium1 medium2 medium3 mediumBangs mediumBangs2 mediumBangs3 mediumStraight',
  short:
    'flatTop flatTopLong grayBun grayShort mohawk mohawk2 pomp short1 short2 short3 short4 short5',
  shaved: 'noHair1 noHair2 noHair3 shaved1 shaved2 shaved3',
};

const FACES =
  'awe blank calm cheeky concerned contempt cute driven eatingHappy explaining eyesClosed fear hectic lovingGrin1 lovingGrin2 rage serious smile smileBig smileLOL smileTeethGap solemn suspicious tired veryAngry'.split(
    ' ',
  );
const BEARDS =
  'chin full full2 full3 full4 goatee1 goatee2 moustache1 moustache2 moustache3 moustache4 moustache5'.split(
    ' ',
  );
const PARTS = {
  face: FACES,
  facialHair: BEARDS,
  accessories: ['glasses', 'glasses2', 'glasses3', 'glasses4', 'sunglasses', 'eyepatch'],
  clothingColor: ['e78276', 'ffcf77', 'fdea6b', '78e185', '9ddadb', '8fa7df', 'e279c7'],
  skinColor: ['ffdbb4', 'edb98a', 'd08b5b', 'ae5d29', '694d3d'],
  headContrastColor: [
    '2c1b18',
    'e8e1e1',
    'd6b370',
    'f59797',
    'b58143',
    'a55728',
    '724133',
    'c93305',
  ],
  backgroundColor: ['ffffff', 'fff3c9', 'dcefff', 'e8f6dc', 'f6e1ec'],
};

const PEOPLE_PER_CLASS = 120;
const ACCESSORIES_PERCENT = 25;
const BEARD_PERCENT = 15;

/**
 * 600 people who have little in common but their outline: 48 shapes of hair and hats, 25 faces,
 * beards, glasses and colours, each chosen by itself. The set of the most variety.
 */
export const PEEPS: IconRecipe = {
  title: 'peeps',
  version: 1,
  count: PEOPLE_PER_CLASS * Object.keys(HEADS).length,
  licence: 'CC0-1.0',
  credit:
    'Remix of "Open Peeps" (https://www.openpeeps.com/) by Pablo Stanley ' +
    '(https://twitter.com/pablostanley), CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/).',
  icons: drawPeeps,
};

function* drawPeeps(size: number): Generator<Icon> {
  for (const [name, heads] of Object.entries(HEADS)) {
    const parts = { head: heads.split(' '), ...PARTS };
    const random = createRandom(`killme peeps ${PEEPS.version}/${name}`);
    const chosen = Object.entries(parts).map(([part, choices]) => ({
      part,
      choices,
      places: random.integers(PEOPLE_PER_CLASS, choices.length),
    }));
    const accessories = random.integers(PEOPLE_PER_CLASS, 100);
    const beards = random.integers(PEOPLE_PER_CLASS, 100);
    for (let i = 0; i < PEOPLE_PER_CLASS; i++) {
      const avatar = createAvatar(openPeeps, {
        seed: `${name}/${i}`,
        ...Object.fromEntries(chosen.map((c) => [c.part, [c.choices[c.places[i]!]!]])),
        accessoriesProbability: accessories[i]! < ACCESSORIES_PERCENT ? 100 : 0,
        facialHairProbability: beards[i]! < BEARD_PERCENT ? 100 : 0,
        maskProbability: 0,
        size,
      });
      yield { path: iconPath(name, i), svg: avatar.toString() };
    }
  }
}
