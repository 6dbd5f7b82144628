/**
 * A plane through latent space: a name in the middle, a random direction across and another one
 * down. No two names are the ends of that, so the server has no picture of it: touching it turns on
 * that pictures are made here.
 *
 * @module
 */
import type { PadPoint } from '../browser/messages.ts';
import { characterInWords, characterOf } from './addresses.ts';
import { chosenClass } from './classes.ts';
import { button, element, image, input } from './elements.ts';
import { isHere, makePoint, onHere, switchOn } from './here.ts';
import { anyName } from './names.ts';
import { show } from './pictures.ts';
import { changeView, onView, type View, view } from './view.ts';

const AXES = ['x', 'y'] as const;

const surface = element('pad-surface', HTMLElement);
const canvas = element('pad-picture', HTMLCanvasElement);
const time = element('pad-time', HTMLElement);
const atFirst = time.textContent;

let busy = false;
/** The newest point that is not rendered yet; older ones are skipped. */
let waiting: PadPoint | undefined;
let rendered = '';

const pad = (changes: Partial<View>, step = true) =>
  changeView({ ...changes, part: 'pad' }, { step });

button('pad-start').addEventListener('click', switchOn);
button('pad-any').addEventListener('click', () =>
  pad({ middle: anyName(), across: anyName(), down: anyName(), x: '0', y: '0' }),
);

for (const axis of AXES) {
  input(`pad-${axis}`).addEventListener('input', () => {
    switchOn();
    render();
  });
  // Not at each step: browsers limit how often an address may change.
  input(`pad-${axis}`).addEventListener('change', () => pad(place(), false));
}

surface.addEventListener('pointerdown', (event) => {
  surface.setPointerCapture(event.pointerId);
  switchOn();
  follow(event);
});
surface.addEventListener('pointermove', (event) => {
  if (surface.hasPointerCapture(event.pointerId)) follow(event);
});
surface.addEventListener('pointerup', () => pad(place(), false));

function follow(event: PointerEvent): void {
  const { left, top, width, height } = surface.getBoundingClientRect();
  const percent = (at: number) => Math.round(Math.max(-1, Math.min(1, 2 * at - 1)) * 100);
  input('pad-x').value = String(percent((event.clientX - left) / width));
  input('pad-y').value = String(percent((event.clientY - top) / height));
  render();
}

const place = () => ({ x: input('pad-x').value, y: input('pad-y').value });

onHere((here) => {
  button('pad-start').disabled = here;
  rendered = '';
  time.textContent = here ? 'Getting the generator …' : atFirst;
  render();
});

function render(): void {
  const { x, y } = place();
  const dot = element('pad-dot', HTMLElement).style;
  dot.left = `${(Number(x) + 100) / 2}%`;
  dot.top = `${(Number(y) + 100) / 2}%`;
  const { middle, across, down } = view;
  canvas.setAttribute(
    'aria-label',
    `“${middle}”, ${x} % of “${across}” and ${y} % of “${down}” added`,
  );
  const names = { middle, across, down, ...chosenClass() };
  const point = { ...names, x: Number(x) / 100, y: Number(y) / 100 };
  if (JSON.stringify(point) === rendered) return; // another part of the page has changed
  waiting = point;
  if (!busy) void renderWaiting();
}

async function renderWaiting(): Promise<void> {
  busy = true;
  while (waiting && isHere()) {
    rendered = JSON.stringify(waiting);
    const point = waiting;
    waiting = undefined;
    const made = await makePoint(point);
    if (!made) continue;
    const { width, height, pixels, pictureMs } = made;
    canvas.width = width;
    canvas.height = height;
    canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
    canvas.hidden = false;
    time.textContent = `Made here in ${pictureMs.toFixed(0)} ms`;
  }
  busy = false;
}

onView(({ middle, x, y }) => {
  void show(image('pad-middle'), characterOf(middle), characterInWords(middle));
  input('pad-x').value = x;
  input('pad-y').value = y;
  render();
  // A shared place on the pad has no other picture than the one made here.
  if (x !== '0' || y !== '0') switchOn();
});
