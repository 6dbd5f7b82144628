/**
 * What the server knows of the generator that the page is of.
 *
 * @module
 */
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
  const { preset, bytes, hash, latent, image, classes, training } = await model;
  fact('preset', preset);
  fact('size', `${(bytes / 1e6).toFixed(1)} MB for every picture it can render`);
  fact('latent', `${latent.size} numbers${LATENTS[latent.distribution]}`);
  fact('image', `${image.width} × ${image.height} pixels`);
  fact('training', trained(training));
  fact('data', `${training.dataset}${classes.length > 0 ? `: ${classes.join(', ')}` : ''}`);
  fact('hash', hash.slice(0, 16));
  // The stand-in's licence asks for the artist's name; other pictures have other artists.
  element('credit', HTMLElement).hidden = training.dataset !== 'characters';
} catch {
  fact('preset', 'the generator does not answer');
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
