// Type a name, see its character, take it along.
import {
  button,
  element,
  fill,
  image,
  imageAddress,
  input,
  onTyped,
  show,
  tell,
} from './elements.js';
import { anyName } from './names.js';
import { changeView, onView, view } from './view.js';

const code = element('name-code', HTMLElement);

onTyped(input('name-seed'), (name, done) => changeView({ name, part: 'name' }, { step: done }));

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
  show(image('name-image'), imageAddress(name), `The character of “${name}”`);
  const source = new URL(imageAddress(name), document.baseURI);
  code.textContent = `<img src="${source}" width="128" height="128" alt="">`;
});
