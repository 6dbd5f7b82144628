// The first page's behaviour. Text from people only ever becomes an attribute or a text node, so
// there is nothing to escape. Addresses are relative: a proxy may serve the page under any path.

const STEPS = 10;

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T} the element of that id and type; the markup is ours, so a missing one is a bug
 */
function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`#${id} is missing`);
  return found;
}

/** @param {string} seed */
const imageAddress = (seed) => `img?${new URLSearchParams({ seed })}`;

const nameForm = element('name-form', HTMLFormElement);
nameForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const seed = element('name-seed', HTMLInputElement).value;
  const image = element('name-image', HTMLImageElement);
  image.src = imageAddress(seed);
  image.alt = `The character of “${seed}”`;
  element('name-code', HTMLElement).textContent = `<img src="/${imageAddress(seed)}">`;
});

let from = 'alice';
let to = 'bob';

element('wall', HTMLElement).addEventListener('click', (event) => {
  const button = event.target instanceof Element && event.target.closest('button');
  if (!button) return;
  const seed = button.dataset.seed;
  if (seed === undefined || seed === to) return;
  from = to;
  to = seed;
  showWalk();
});

function showWalk() {
  for (const button of document.querySelectorAll('#wall button')) {
    const seed = button instanceof HTMLElement && button.dataset.seed;
    button.setAttribute('aria-pressed', String(seed === from || seed === to));
  }
  element('walk-from', HTMLElement).textContent = from;
  element('walk-to', HTMLElement).textContent = to;
  const query = new URLSearchParams({ from, to, steps: String(STEPS) });
  element('walk-frame', HTMLImageElement).src = `morph?${query}`;
  element('walk-strip', HTMLImageElement).src = `morph?${query}`;
  element('fade-frame', HTMLImageElement).src = `morph?${query}&space=pixel`;
}

const step = element('walk-step', HTMLInputElement);

function showStep() {
  const shift = `translateX(${(-100 / STEPS) * step.valueAsNumber}%)`;
  element('walk-frame', HTMLImageElement).style.transform = shift;
  element('fade-frame', HTMLImageElement).style.transform = shift;
}

step.addEventListener('input', showStep);
showStep(); // a reloaded page keeps its slider where it was

/** @param {string} text */
function tellFacts(text) {
  element('facts', HTMLElement).prepend(`${text} `);
}

try {
  const response = await fetch('model');
  const model = await response.json();
  const { dataset, images, iterations, note } = model.training;
  tellFacts(
    `This generator (preset ${model.preset}, ${(model.bytes / 1e6).toFixed(1)} MB) was trained for ` +
      `${iterations} iterations on ${images} pictures: ${dataset}. ${note ?? ''}`,
  );
  // The stand-in's licence asks for the artist's name; other pictures have other artists.
  element('credit', HTMLElement).hidden = dataset !== 'characters';
} catch {
  tellFacts('The generator does not answer.');
}
