// What is on view, kept in the address after `#`, so that every view can be shared and the back
// button goes to the one before. Only what differs from the first view is written there.

export const STEPS = 16;
const WALL_MAX = 480;

const FIRST_VIEW = {
  /** The part that was changed last: a shared address opens there. */
  part: '',
  name: 'you',
  /** How many names the wall shows. */
  wall: '24',
  from: 'alice',
  to: 'bob',
  path: 'linear',
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
};

/** @typedef {typeof FIRST_VIEW} View */

/** @type {Readonly<View>} */
export let view = readView();

/** @type {((view: Readonly<View>) => void)[]} */
const parts = [];

/**
 * Calls `render` now and whenever the view has changed.
 * @param {(view: Readonly<View>) => void} render
 */
export function onView(render) {
  parts.push(render);
  render(view);
}

/**
 * @param {Partial<View>} changes
 * @param {object} [options]
 * @param {boolean} [options.step=true] whether the back button stops at the view before
 */
export function changeView(changes, { step = true } = {}) {
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

/** @returns {View} */
function readView() {
  const given = new URLSearchParams(location.hash.slice(1));
  const read = { ...FIRST_VIEW };
  for (const key of /** @type {(keyof View)[]} */ (Object.keys(FIRST_VIEW))) {
    read[key] = given.get(key)?.slice(0, 256) || FIRST_VIEW[key];
  }
  const whole = (/** @type {string} */ text, /** @type {number} */ most) =>
    String(Math.min(most, /^\d{1,6}$/.test(text) ? Number(text) : 0));
  read.step = whole(read.step, STEPS - 1);
  read.wall = whole(read.wall, WALL_MAX);
  for (const axis of /** @type {const} */ (['x', 'y'])) {
    if (!/^-?\d{1,2}$|^-?100$/.test(read[axis])) read[axis] = '0';
  }
  if (read.path !== 'slerp') read.path = 'linear';
  return read;
}

/** @param {Readonly<View>} shown */
function writeView(shown) {
  const differing = Object.entries(shown).filter(
    ([key, value]) => value !== FIRST_VIEW[/** @type {keyof View} */ (key)],
  );
  return new URLSearchParams(differing).toString();
}
