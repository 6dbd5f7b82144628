/**
 * Type a name, see its character, take it along.
 *
 * @module
 */
import { button, element, fill, image, input, onTyped, tell } from './elements.ts';
import { anyName } from './names.ts';
import { show } from './pictures.ts';
import { characterOf } from './server.ts';
import { changeView, onView, view } from './view.ts';

const code = element('name-code', HTMLElement);

onTyped(input('name-seed'), (name, step) => changeView({ name, part: 'name' }, { step }));

element('name-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  changeView({ name: input('name-seed').value, part: 'name' });
});

button('name-any').addEventListener('click', () => changeView({ name: anyName(), part: 'name' }));

button('name-copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(code.textContent);
    tell('The tag is copied.');
  } catch {
    getSelection()?.selectAllChildren(code);
    tell('The tag is selected: copy it from there.');
  }
});

button('name-walk').addEventListener('click', () => {
  changeView({ from: view.to, to: view.name, part: 'walk' });
  element('walk', HTMLElement).scrollIntoView();
});

onView(({ name }) => {
  fill(input('name-seed'), name);
  void show(image('name-image'), characterOf(name), `The character of “${name}”`);
  code.textContent = `<img src="${characterOf(name)}" width="128" height="128" alt="">`;
});
