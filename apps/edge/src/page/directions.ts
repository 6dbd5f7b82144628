/**
 * The named directions of the generator, a slider for each: a name's character is moved along them.
 * A generator may have none; then this part does not appear.
 *
 * @module
 */

import type { Move } from '../client.ts';
import { LISTED_MOVES, STRENGTH } from '../http/limits.ts';
import { joinSeeds, splitSeeds } from '../http/seed-list.ts';
import { characterInWords, movedCharacterOf } from './addresses.ts';
import { button, element, fill, image, input, onTyped } from './elements.ts';
import { show } from './pictures.ts';
import { model } from './server.ts';
import { tagIn } from './tag.ts';
import { changeView, onView, type View, view } from './view.ts';

/** Standard deviations. */
const RANGE = { min: String(-STRENGTH), max: String(STRENGTH), step: '0.25' };

interface Slider {
  direction: string;
  range: HTMLInputElement;
  /** The strength in figures, for the eye: the range says its own. */
  figure: HTMLElement;
}

const isMoved = ({ range }: Slider) => range.valueAsNumber !== 0;
const moveOf = ({ direction, range }: Slider): Move => ({
  direction,
  strength: range.valueAsNumber,
});
/** As an address has it. */
const textOf = ({ direction, strength }: Move) => `${direction}:${strength}`;
const signed = (strength: string) =>
  strength.startsWith('-') ? strength.replace('-', '−') : strength === '0' ? '0' : `+${strength}`;

const part = element('directions', HTMLElement);
const picture = image('directions-image');
const link = element('directions-link', HTMLElement);

let busy = false;
/** The newest picture that is not asked for yet; those before it are skipped. */
let waiting: { address: URL; alt: string } | undefined;

const facts = await model.catch(() => undefined);
const sliders = (facts?.directions ?? []).slice(0, LISTED_MOVES).map(slider);
if (sliders.length > 0) appear();
else link.hidden = true;

function appear(): void {
  const change = (changes: Partial<View>, step = true) =>
    changeView({ ...changes, part: 'directions' }, { step });
  const showTag = tagIn('directions');
  const moves = () => sliders.filter(isMoved).map(moveOf);

  element('directions-sliders', HTMLElement).append(...sliders.map(rowOf));
  for (const { range } of sliders) {
    range.addEventListener('input', render);
    // Not at each step: browsers limit how often an address may change.
    range.addEventListener('change', () => change({ move: joinSeeds(moves().map(textOf)) }, false));
  }
  onTyped(input('directions-name'), (name, step) => change({ name }, step));
  button('directions-reset').addEventListener('click', () => change({ move: '' }));

  function render(): void {
    for (const { range, figure } of sliders) figure.textContent = signed(range.value);
    const address = movedCharacterOf(view.name, moves());
    showTag(address);
    waiting = { address, alt: describe() };
    if (!busy) void renderWaiting();
  }

  onView(({ name, move }) => {
    fill(input('directions-name'), name);
    const strengths = readMoves(move);
    for (const { direction, range } of sliders) range.value = strengths.get(direction) ?? '0';
    render();
  });
  part.hidden = false;
  link.classList.remove('awaited');
}

/** One picture at a time: a slider passes more places than anyone wants to see, or a server to render. */
async function renderWaiting(): Promise<void> {
  busy = true;
  while (waiting) {
    const { address, alt } = waiting;
    waiting = undefined;
    await show(picture, address, alt);
    await picture.decode().catch(() => undefined); // its words stand there then
  }
  busy = false;
}

function slider(direction: string): Slider {
  const range = document.createElement('input');
  Object.assign(range, { type: 'range', ...RANGE, autocomplete: 'off' });
  const figure = document.createElement('span');
  figure.ariaHidden = 'true';
  return { direction, range, figure };
}

function rowOf({ direction, range, figure }: Slider): HTMLElement {
  const name = document.createElement('span');
  name.textContent = direction;
  const row = document.createElement('label');
  row.append(name, figure, range);
  return row;
}

function describe(): string {
  const moves = sliders
    .filter(isMoved)
    .map(({ direction, range }) => `${signed(range.value)} along ${direction}`);
  return `${characterInWords(view.name)}${moves.length > 0 ? `, ${moves.join(', ')}` : ''}`;
}

/** The strengths by direction, as they come: a range makes what it can show of them. */
function readMoves(list: string): Map<string, string> {
  return new Map(
    splitSeeds(list).map((move) => {
      const at = move.lastIndexOf(':');
      return [move.slice(0, at), move.slice(at + 1)];
    }),
  );
}
