/**
 * What is on view, kept in the address after `#`, so that every view can be shared and the back
 * button goes to the one before. Only what differs from the first view is written there.
 *
 * @module
 */

import { SEED_CHARACTERS } from '../http/limits.ts';

export const STEPS = 16;
export const WALL_MAX = 480;

/** Of all sliders together. */
const MOVE_CHARACTERS = 2048;

const FIRST_VIEW = {
  /** The part that was changed last: a shared address opens there. */
  part: '',
  /** Of all pictures, where the generator is class-conditional; any when empty. */
  class: '',
  name: 'you',
  /** How many names the wall shows. */
  wall: '24',
  from: 'alice',
  to: 'bob',
  /** How the walk goes; as the server takes it unasked when empty. */
  path: '',
  step: '7',
  a: 'alice',
  b: 'bob',
  c: 'carol',
  /** The pad: its middle, its two directions, and the place of the dot in hundredths. */
  middle: 'yuki',
  across: 'left to right',
  down: 'top to bottom',
  x: '0',
  y: '0',
  /** How far the name is moved along directions, as the server's `move` has it. */
  move: '',
};

export type View = typeof FIRST_VIEW;

export let view: Readonly<View> = readView();

const parts: ((view: Readonly<View>) => void)[] = [];

/** Calls `render` now and whenever the view has changed. */
export function onView(render: (view: Readonly<View>) => void): void {
  parts.push(render);
  render(view);
}

/** @param options.step whether the back button stops at the view before */
export function changeView(changes: Partial<View>, { step = true } = {}): void {
  view = { ...view, ...changes };
  const hash = writeView(view);
  // A step for what is on view already would make the back button do nothing.
  if (step && hash !== location.hash.replace(/^#/, '')) history.pushState(null, '', `#${hash}`);
  else history.replaceState(null, '', `#${hash}`);
  for (const render of parts) render(view);
}

addEventListener('popstate', () => {
  view = readView();
  for (const render of parts) render(view);
});

function readView(): View {
  const given = new URLSearchParams(location.hash.slice(1));
  const read = { ...FIRST_VIEW };
  for (const key of keysOf(FIRST_VIEW)) {
    const most = key === 'move' ? MOVE_CHARACTERS : SEED_CHARACTERS;
    read[key] = given.get(key)?.slice(0, most) || FIRST_VIEW[key];
  }
  const whole = (text: string, most: number) =>
    String(Math.min(most, /^\d{1,6}$/.test(text) ? Number(text) : 0));
  read.step = whole(read.step, STEPS - 1);
  read.wall = whole(read.wall, WALL_MAX);
  for (const axis of ['x', 'y'] as const) {
    if (!/^-?\d{1,2}$|^-?100$/.test(read[axis])) read[axis] = '0';
  }
  if (read.path !== 'slerp' && read.path !== 'linear') read.path = '';
  return read;
}

function writeView(shown: Readonly<View>): string {
  const differing = keysOf(shown).filter((key) => shown[key] !== FIRST_VIEW[key]);
  return new URLSearchParams(differing.map((key) => [key, shown[key]])).toString();
}

/** TypeScript knows keys only as text: an object may have more of them than its type says. */
function keysOf(shown: Readonly<View>): (keyof View)[] {
  return Object.keys(shown) as (keyof View)[];
}
