/**
 * What the parts of the page share. Text from people only ever becomes an attribute, a value or a
 * text node, so there is nothing to escape.
 *
 * @module
 */

/** The element of that id and type; the markup is ours, so a missing one is a bug. */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`#${id} is missing`);
  return found;
}

export const image = (id: string) => element(id, HTMLImageElement);
export const input = (id: string) => element(id, HTMLInputElement);
export const button = (id: string) => element(id, HTMLButtonElement);

/** Writes a value into a field; the same value is left alone, with the cursor in it. */
export function fill(field: HTMLInputElement, value: string): void {
  if (field.value !== value) field.value = value;
}

/** Says something to those who cannot see it, and in the corner of the window. */
export function tell(text: string): void {
  element('status', HTMLElement).textContent = text;
}

/**
 * Calls `listener` whenever the person has paused typing, and when they are done.
 * @param listener.step whether this begins something new: what comes of more typing replaces it.
 */
export function onTyped(
  field: HTMLInputElement,
  listener: (value: string, step: boolean) => void,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let begun = false;
  const say = () => {
    clearTimeout(timer);
    if (field.value === '') return;
    listener(field.value, !begun);
    begun = true;
  };
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(say, 250);
  });
  field.addEventListener('change', () => {
    say();
    begun = false;
  });
}
