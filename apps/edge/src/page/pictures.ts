/**
 * Shows the pictures of addresses: from the server, or made here while that is switched on.
 *
 * @module
 */
import { isHere, makeHere } from './here.ts';

/** What each element shows or is about to; the same picture is not asked for again. */
const shown = new WeakMap<HTMLImageElement, string>();

/** Shows another picture, unless it is shown already: asking again would make it blink. */
export async function show(target: HTMLImageElement, address: URL, alt: string): Promise<void> {
  const { href } = address;
  target.alt = alt;
  if ((shown.get(target) ?? target.src) === href) return;
  shown.set(target, href);
  const made = isHere() ? await makeHere(address) : undefined;
  if (shown.get(target) !== href) return; // another one has been wanted meanwhile
  if (made) target.loading = 'eager'; // its address is not good for long
  target.src = made ?? href;
}
