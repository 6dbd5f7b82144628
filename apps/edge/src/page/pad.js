// A plane through latent space: a name in the middle, a random direction across and another one down.
// No two names are the ends of that, so the server has no picture of it: it is drawn in this browser,
// by the server's own code in a Web Worker, once that is switched on.
import { button, element, imageAddress, input, show } from './elements.js';
import { anyName } from './names.js';
import { changeView, onView, view } from './view.js';

/** @typedef {import('../engine/engine.ts').PadAnswer} PadAnswer */
/** @typedef {import('../engine/engine.ts').PadPoint} PadPoint */

const surface = element('pad-surface', HTMLElement);
const canvas = element('pad-picture', HTMLCanvasElement);
const sliders = /** @type {const} */ (['x', 'y']);

/** @type {Worker | undefined} */
let engine;
let busy = false;
/** @type {PadPoint | undefined} the newest point that is not drawn yet; older ones are left out */
let waiting;
let drawn = '';

/** @param {Partial<import('./view.js').View>} changes */
const pad = (changes, step = true) => changeView({ ...changes, part: 'pad' }, { step });

button('pad-start').addEventListener('click', start);
button('pad-any').addEventListener('click', () =>
  pad({ middle: anyName(), across: anyName(), down: anyName(), x: '0', y: '0' }),
);

for (const axis of sliders) {
  input(`pad-${axis}`).addEventListener('input', () => {
    start();
    draw();
  });
  // Not at each step: browsers limit how often an address may change.
  input(`pad-${axis}`).addEventListener('change', () => pad(place(), false));
}

surface.addEventListener('pointerdown', (event) => {
  surface.setPointerCapture(event.pointerId);
  start();
  follow(event);
});
surface.addEventListener('pointermove', (event) => {
  if (surface.hasPointerCapture(event.pointerId)) follow(event);
});
surface.addEventListener('pointerup', () => pad(place(), false));

/** @param {PointerEvent} event */
function follow(event) {
  const { left, top, width, height } = surface.getBoundingClientRect();
  const share = (/** @type {number} */ at) =>
    Math.round(Math.max(-1, Math.min(1, 2 * at - 1)) * 100);
  input('pad-x').value = String(share((event.clientX - left) / width));
  input('pad-y').value = String(share((event.clientY - top) / height));
  draw();
}

const place = () => ({ x: input('pad-x').value, y: input('pad-y').value });

function start() {
  if (engine) return;
  button('pad-start').disabled = true;
  element('pad-time', HTMLElement).textContent = 'Getting the generator …';
  engine = new Worker('engine.js', { type: 'module' });
  engine.addEventListener('message', ({ data }) => receive(data));
  engine.addEventListener('error', () => receive({ problem: 'the engine cannot be loaded' }));
  draw();
}

function draw() {
  const { x, y } = place();
  const dot = element('pad-dot', HTMLElement).style;
  dot.left = `${(Number(x) + 100) / 2}%`;
  dot.top = `${(Number(y) + 100) / 2}%`;
  const { middle, across, down } = view;
  canvas.setAttribute(
    'aria-label',
    `“${middle}”, ${x} % of “${across}” and ${y} % of “${down}” added`,
  );
  const point = { middle, across, down, x: Number(x) / 100, y: Number(y) / 100 };
  if (JSON.stringify(point) === drawn) return; // another part of the page has changed
  waiting = point;
  if (!busy) next();
}

function next() {
  if (!engine || !waiting) return;
  drawn = JSON.stringify(waiting);
  engine.postMessage(waiting);
  waiting = undefined;
  busy = true;
}

/** @param {PadAnswer} answer */
function receive(answer) {
  busy = false;
  const time = element('pad-time', HTMLElement);
  if ('problem' in answer) {
    time.textContent = `That does not work here: ${answer.problem}.`;
    engine?.terminate();
    engine = undefined;
    drawn = '';
    button('pad-start').disabled = false;
    return;
  }
  const { width, height, pixels, durationMs } = answer;
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
  canvas.hidden = false;
  time.textContent = `Made here in ${durationMs.toFixed(0)} ms`;
  next();
}

onView(({ middle, x, y }) => {
  show(
    element('pad-middle', HTMLImageElement),
    imageAddress(middle),
    `The character of “${middle}”`,
  );
  input('pad-x').value = x;
  input('pad-y').value = y;
  draw();
  // A shared place on the pad has no other picture than the one made here.
  if (x !== '0' || y !== '0') start();
});
