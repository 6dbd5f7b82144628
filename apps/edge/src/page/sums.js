// A − B + C, of latents (by the server) and of pixels (here), as the article has it.
import {
  address,
  button,
  element,
  fill,
  image,
  imageAddress,
  input,
  onTyped,
  show,
} from './elements.js';
import { anyName } from './names.js';
import { changeView, onView } from './view.js';

const TERMS = /** @type {const} */ (['a', 'b', 'c']);
const canvas = element('sum-pixels', HTMLCanvasElement);

for (const term of TERMS) {
  onTyped(input(`sum-${term}`), (name, done) =>
    changeView({ [term]: name, part: 'sums' }, { step: done }),
  );
  image(`sum-${term}-image`).addEventListener('load', addPixels);
}

button('sum-any').addEventListener('click', () =>
  changeView({ a: anyName(), b: anyName(), c: anyName(), part: 'sums' }),
);

/**
 * A list of names as the server reads it: a comma or backslash of a name has a backslash before it.
 * @param {string[]} names
 */
const list = (...names) => names.map((name) => name.replace(/[\\,]/g, '\\$&')).join(',');

function addPixels() {
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

onView(({ a, b, c }) => {
  for (const [term, name] of Object.entries({ a, b, c })) {
    fill(input(`sum-${term}`), name);
    show(image(`sum-${term}-image`), imageAddress(name), `The character of “${name}”`);
  }
  const sum = `“${a}” minus “${b}” plus “${c}”`;
  show(
    image('sum-image'),
    address('mix', { plus: list(a, c), minus: list(b) }),
    `${sum}, by latents`,
  );
  canvas.setAttribute('aria-label', `${sum}, by pixels`);
  addPixels();
});
