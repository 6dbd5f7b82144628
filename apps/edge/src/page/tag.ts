/**
 * The `<img>` tag of a picture, to be taken along.
 *
 * @module
 */
import { button, element, tell } from './elements.ts';
import { model } from './server.ts';

/** Of the generator's pictures, in pixels; as most are, until the server has answered. */
let own = { width: 128, height: 128 };

const sizeKnown = model.then(({ image }) => {
  own = image;
});

/** Shows tags in `#<part>-code`; `#<part>-copy` copies the one that is shown. */
export function tagIn(part: string): (address: URL) => void {
  const code = element(`${part}-code`, HTMLElement);
  if (code.parentElement) code.parentElement.tabIndex = 0; // a long one is scrolled, by keyboard too
  button(`${part}-copy`).addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      tell('The tag is copied.');
    } catch {
      getSelection()?.selectAllChildren(code);
      tell('The tag is selected: copy it from there.');
    }
  });
  let shown: URL | undefined;
  const show = () => {
    if (!shown) return;
    const [width, height] = sizeOf(shown);
    code.textContent = `<img src="${shown}" width="${width}" height="${height}" alt="">`;
  };
  sizeKnown.then(show, () => undefined);
  return (address) => {
    shown = address;
    show();
  };
}

/** Width and height of the picture at an address. */
function sizeOf(address: URL): readonly [number, number] {
  const side = address.searchParams.get('size');
  const scale = side === null ? 1 : Number(side) / Math.max(own.width, own.height);
  return [Math.round(own.width * scale), Math.round(own.height * scale)];
}
