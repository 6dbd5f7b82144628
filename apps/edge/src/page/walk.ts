/**
 * A walk between two names beside a cross-fade. Both are strips fetched once; a step only moves
 * them under their windows, so that playing asks the server for nothing.
 *
 * @module
 */
import { defaultPath, type WalkPath } from '@killme/model';
import { walkOf } from './addresses.ts';
import { button, element, fill, image, input, onTyped } from './elements.ts';
import { anyName } from './names.ts';
import { show } from './pictures.ts';
import { model } from './server.ts';
import { changeView, onView, STEPS, type View, view } from './view.ts';

const MS_A_STEP = 90;

const slider = input('walk-step');
const play = button('walk-play');

const walk = (changes: Partial<View>, step = true) =>
  changeView({ ...changes, part: 'walk' }, { step });

for (const end of ['from', 'to'] as const) {
  onTyped(input(`walk-${end}`), (name, step) => walk({ [end]: name }, step));
}
button('walk-swap').addEventListener('click', () => walk({ from: view.to, to: view.from }));
button('walk-any').addEventListener('click', () => walk({ from: anyName(), to: anyName() }));

/** The way that the server takes unasked: not named, so that one picture keeps one address. */
let unasked: WalkPath = 'linear';
const arc = input('walk-arc');
void model.then(
  ({ latent }) => {
    unasked = defaultPath(latent);
    showPath(view);
  },
  () => undefined, // facts.ts says so
);
arc.addEventListener('change', () => {
  const path = arc.checked ? 'slerp' : 'linear';
  walk({ path: path === unasked ? '' : path });
});

function showPath({ path }: Readonly<View>): void {
  arc.checked = (path || unasked) === 'slerp';
}

slider.addEventListener('input', () => {
  stop();
  showStep(slider.valueAsNumber);
});
// Not at each step: browsers limit how often an address may change.
slider.addEventListener('change', () => walk({ step: slider.value }, false));

/** The strips are pictures of all steps: a click on one of them goes there. */
for (const id of ['walk-strip', 'fade-strip']) {
  image(id).addEventListener('click', (event) => {
    const { left, width } = image(id).getBoundingClientRect();
    const at = Math.floor(((event.clientX - left) / width) * STEPS);
    stop();
    walk({ step: String(Math.max(0, Math.min(STEPS - 1, at))) }, false);
  });
}

let timer: ReturnType<typeof setInterval> | undefined;
play.addEventListener('click', () => (timer === undefined ? start() : stop()));

function start(): void {
  play.textContent = 'Pause';
  let at = Number(view.step);
  let way = at === STEPS - 1 ? -1 : 1;
  timer = setInterval(() => {
    at += way;
    if (at === 0 || at === STEPS - 1) way = -way;
    showStep(at);
  }, MS_A_STEP);
}

function stop(): void {
  if (timer === undefined) return;
  clearInterval(timer);
  timer = undefined;
  play.textContent = 'Play';
  walk({ step: slider.value }, false);
}

function showStep(step: number): void {
  slider.value = String(step);
  slider.setAttribute('aria-valuetext', `step ${step + 1} of ${STEPS}`);
  for (const id of ['walk-frame', 'fade-frame']) {
    image(id).style.transform = `translateX(${(-100 / STEPS) * step}%)`;
  }
  for (const id of ['walk-mark', 'fade-mark']) {
    element(id, HTMLElement).style.left = `${(100 / STEPS) * step}%`;
  }
}

onView((shown) => {
  const { from, to, path, step } = shown;
  fill(input('walk-from'), from);
  fill(input('walk-to'), to);
  showPath(shown);
  const named = path === 'slerp' || path === 'linear' ? ({ path } as const) : {};
  const walked = walkOf(from, to, { steps: STEPS, ...named });
  const faded = walkOf(from, to, { steps: STEPS, space: 'pixel' });
  void show(image('walk-frame'), walked, `One step of the walk from “${from}” to “${to}”`);
  void show(image('fade-frame'), faded, `The same step of a cross-fade from “${from}” to “${to}”`);
  void show(image('walk-strip'), walked, `All ${STEPS} steps of the walk side by side`);
  void show(image('fade-strip'), faded, `All ${STEPS} steps of the cross-fade side by side`);
  if (timer === undefined) showStep(Number(step));
});
