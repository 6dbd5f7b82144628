/**
 * What the server knows of the generator that the page is of.
 *
 * @module
 */
import { licenceUrl } from '../http/licence.ts';
import { element } from './elements.ts';
import { model } from './server.ts';

const count = (number: number) => number.toLocaleString('en');

function fact(id: string, text: string): void {
  element(`fact-${id}`, HTMLElement).textContent = text;
}

const LATENTS = {
  uniform: ', each from −1 to 1',
  uniform01: ', each from 0 to 1',
  normal: ', normally distributed',
};

try {
  const facts = await model;
  const { preset, bytes, hash, latent, image, classes, training } = facts;
  fact('preset', preset);
  fact('size', `${(bytes / 1e6).toFixed(1)} MB for every picture it can render`);
  fact('latent', `${latent.size} numbers${LATENTS[latent.distribution]}`);
  fact('image', `${image.width} × ${image.height} pixels`);
  fact('training', trained(training));
  fact('data', `${training.dataset}${classes.length > 0 ? `: ${classes.join(', ')}` : ''}`);
  fact('hash', hash.slice(0, 16));
  showCredit(facts);
} catch {
  fact('preset', 'the generator does not answer');
}

/** Whom pictures have to name, and where their licence can be read. */
function showCredit({
  licence,
  credit,
}: {
  licence?: string | undefined;
  credit?: string | undefined;
}): void {
  const credits = element('credit', HTMLElement);
  credits.hidden = licence === undefined && credit === undefined;
  credits.append('Pictures: ', credit ?? '', ' ', licence === undefined ? '' : linkTo(licence));
}

function linkTo(licence: string): HTMLAnchorElement | string {
  const href = licenceUrl(licence);
  if (href === undefined) return licence;
  return Object.assign(document.createElement('a'), {
    href,
    rel: 'license',
    textContent: licence,
  });
}

function trained({
  iterations,
  images,
}: {
  iterations?: number | undefined;
  images?: number | undefined;
}): string {
  const times = iterations === undefined ? 'unknown' : `${count(iterations)} iterations`;
  return images === undefined ? times : `${times} on ${count(images)} pictures`;
}
