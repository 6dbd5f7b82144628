/**
 * Names to pick from: the last two picks are the ends of the walk.
 *
 * @module
 */
import { characterOf } from './addresses.ts';
import { button, element, tell } from './elements.ts';
import { nameOf } from './names.ts';
import { show } from './pictures.ts';
import { changeView, onView, view, WALL_MAX } from './view.ts';

const wall = element('wall-names', HTMLElement);
const AT_FIRST = wall.childElementCount;

wall.addEventListener('click', (event) => {
  const picked = event.target instanceof Element && event.target.closest('button');
  const seed = picked ? picked.dataset.seed : undefined;
  if (!seed || seed === view.to) return;
  changeView({ from: view.to, to: seed, part: 'walk' });
  tell(`The walk goes from ${view.from} to ${view.to}.`);
});

button('wall-more').addEventListener('click', () => {
  const before = wall.childElementCount;
  changeView({ wall: String(before + AT_FIRST), part: 'wall' });
  const next = wall.children[before];
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
});

function tile(seed: string): HTMLButtonElement {
  const picture = new Image(128, 128);
  picture.loading = 'lazy';
  const name = document.createElement('span');
  name.textContent = seed;
  const made = document.createElement('button');
  made.type = 'button';
  made.dataset.seed = seed;
  made.append(picture, name);
  return made;
}

onView((shown) => {
  const count = Math.max(AT_FIRST, Number(shown.wall));
  while (wall.childElementCount > count) wall.lastElementChild?.remove();
  while (wall.childElementCount < count) wall.append(tile(nameOf(wall.childElementCount)));
  button('wall-more').disabled = count >= WALL_MAX;
  for (const each of wall.querySelectorAll('button')) {
    const { seed } = each.dataset;
    const picture = each.querySelector('img');
    if (seed && picture) void show(picture, characterOf(seed), '');
    each.setAttribute('aria-pressed', String(seed === shown.from || seed === shown.to));
  }
});
