/**
 * A − B + C, of latents (by the generator) and of pixels (here), as the article has it.
 *
 * @module
 */
import { characterInWords, characterOf, sumOf } from './addresses.ts';
import { button, element, fill, image, input, onTyped } from './elements.ts';
import { anyName } from './names.ts';
import { show } from './pictures.ts';
import { changeView, onView } from './view.ts';

const TERMS = ['a', 'b', 'c'] as const;
const canvas = element('sum-pixels', HTMLCanvasElement);

for (const term of TERMS) {
  onTyped(input(`sum-${term}`), (name, step) =>
    changeView({ [term]: name, part: 'sums' }, { step }),
  );
  image(`sum-${term}-image`).addEventListener('load', addPixels);
}

button('sum-any').addEventListener('click', () =>
  changeView({ a: anyName(), b: anyName(), c: anyName(), part: 'sums' }),
);

function addPixels(): void {
  const pictures = TERMS.map((term) => image(`sum-${term}-image`));
  if (!pictures.every(({ complete, naturalWidth }) => complete && naturalWidth > 0)) return;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return;
  const { width, height } = canvas;
  const [a, b, c] = pictures.map((picture) => {
    context.drawImage(picture, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  });
  if (!a || !b || !c) return;
  // Clamped to 0 … 255 as it is written.
  for (let i = 0; i < a.data.length; i++) {
    a.data[i] = (a.data[i] ?? 0) - (b.data[i] ?? 0) + (c.data[i] ?? 0);
  }
  context.putImageData(a, 0, 0);
}

onView((view) => {
  for (const term of TERMS) {
    const name = view[term];
    fill(input(`sum-${term}`), name);
    void show(image(`sum-${term}-image`), characterOf(name), characterInWords(name));
  }
  const { a, b, c } = view;
  const sum = `“${a}” minus “${b}” plus “${c}”`;
  void show(image('sum-image'), sumOf([a, c], [b]), `${sum}, by latents`);
  canvas.setAttribute('aria-label', `${sum}, by pixels`);
  addPixels();
});
