/**
 * The choice of a class, one for all pictures of the page, beside the title of each part that has
 * some. Where the generator is not class-conditional, nothing of it is there.
 *
 * @module
 */
import { model } from './server.ts';
import { changeView, onView, view } from './view.ts';

const namesOfClasses = model.then(
  ({ latent, classes }) => (latent.classes ? classes : []),
  () => [],
);

/** Unknown until the server has answered, which only a view of one of them has to wait for. */
let classes: readonly string[] = view.class === '' ? [] : await namesOfClasses;

/** The class of all pictures, as a query has it; nothing where any will do. */
export const chosenClass = (): { class?: string } =>
  classes.includes(view.class) ? { class: view.class } : {};

void namesOfClasses.then((names) => {
  classes = names;
  if (names.length > 0) appear();
});

function appear(): void {
  const choices = [...document.querySelectorAll('.titled')].map(choiceBeside);
  onView(() => {
    for (const choice of choices) choice.value = chosenClass().class ?? '';
  });
}

function choiceBeside(title: Element): HTMLSelectElement {
  const choice = document.createElement('select');
  choice.autocomplete = 'off';
  choice.ariaLabel = 'Class of all characters';
  choice.append(new Option('any class', ''), ...classes.map((name) => new Option(name, name)));
  choice.addEventListener('change', () =>
    changeView({ class: choice.value, part: title.closest('section')?.id ?? '' }),
  );
  const word = document.createElement('span');
  word.textContent = 'Class';
  const label = document.createElement('label');
  label.append(word, choice);
  title.append(label);
  return choice;
}
