// What the parts of the page share. Text from people only ever becomes an attribute, a value or a
// text node, so there is nothing to escape. Addresses are relative: a proxy may serve the page
// under any path.

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T} the element of that id and type; the markup is ours, so a missing one is a bug
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`#${id} is missing`);
  return found;
}

/** @param {string} id */
export const image = (id) => element(id, HTMLImageElement);

/** @param {string} id */
export const input = (id) => element(id, HTMLInputElement);

/** @param {string} id */
export const button = (id) => element(id, HTMLButtonElement);

/**
 * @param {string} route
 * @param {Record<string, string>} query
 */
export const address = (route, query) => `${route}?${new URLSearchParams(query)}`;

/** @param {string} seed */
export const imageAddress = (seed) => address('img', { seed });

/**
 * Shows another picture, unless it is shown already: asking again would make it blink.
 * @param {HTMLImageElement} target
 * @param {string} source
 * @param {string} alt
 */
export function show(target, source, alt) {
  if (target.getAttribute('src') !== source) target.src = source;
  target.alt = alt;
}

/**
 * Writes a value into a field; the same value is left alone, with the cursor in it.
 * @param {HTMLInputElement} field
 * @param {string} value
 */
export function fill(field, value) {
  if (field.value !== value) field.value = value;
}

/**
 * Says something to those who cannot see it, and in the corner of the window.
 * @param {string} text
 */
export function tell(text) {
  element('status', HTMLElement).textContent = text;
}

/**
 * Calls `listener` once the person has paused typing, and at once when they are done.
 * @param {HTMLInputElement} field
 * @param {(value: string, done: boolean) => void} listener
 */
export function onTyped(field, listener) {
  let timer = 0;
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => field.value !== '' && listener(field.value, false), 250);
  });
  field.addEventListener('change', () => {
    clearTimeout(timer);
    if (field.value !== '') listener(field.value, true);
  });
}
