/**
 * The `<img>` tag of a picture, to be taken along.
 *
 * @module
 */
import { button, element, tell } from './elements.ts';

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
  return (address) => {
    code.textContent = `<img src="${address}" width="128" height="128" alt="">`;
  };
}
