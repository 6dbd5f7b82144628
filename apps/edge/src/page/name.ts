/**
 * Type a name, see its character, take it along.
 *
 * @module
 */
import { characterInWords, characterOf } from './addresses.ts';
import { button, element, fill, image, input, onTyped } from './elements.ts';
import { anyName } from './names.ts';
import { show } from './pictures.ts';
import { tagIn } from './tag.ts';
import { changeView, onView, view } from './view.ts';

const showTag = tagIn('name');

onTyped(input('name-seed'), (name, step) => changeView({ name, part: 'name' }, { step }));

element('name-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  changeView({ name: input('name-seed').value, part: 'name' });
});

button('name-any').addEventListener('click', () => changeView({ name: anyName(), part: 'name' }));

button('name-walk').addEventListener('click', () => {
  changeView({ from: view.to, to: view.name, part: 'walk' });
  element('walk', HTMLElement).scrollIntoView();
});

onView(({ name }) => {
  fill(input('name-seed'), name);
  void show(image('name-image'), characterOf(name), characterInWords(name));
  showTag(characterOf(name));
});
