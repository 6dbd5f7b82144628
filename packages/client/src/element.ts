/**
 * `<killme-img>`: a custom element that shows the picture of a seed. Importing this module defines it.
 *
 *     <killme-img base="https://killme.example.workers.dev" seed="alice" size="128"></killme-img>
 *
 * Attributes: `base` (the server; the page's own when omitted), `pin` (of a generator, from the server's
 * `/model`: the same picture for ever), `seed`, `size`, `format`, `class-name` (the generator's class),
 * `model`, `alt`. With the pin of a gallery the browser scales its files to `size`.
 *
 * @module
 */
import { createClient, isGalleryPin } from './index.ts';

const ATTRIBUTES = ['base', 'pin', 'seed', 'size', 'format', 'class-name', 'model', 'alt'] as const;

export class KillmeImageElement extends HTMLElement {
  static readonly observedAttributes: readonly string[] = ATTRIBUTES;

  readonly #image: HTMLImageElement;

  constructor() {
    super();
    this.#image = document.createElement('img');
    this.#image.loading = 'lazy';
    this.#image.decoding = 'async';
    this.#image.part.add('image');
    this.attachShadow({ mode: 'open' }).append(this.#image);
  }

  connectedCallback(): void {
    this.#update();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#update();
  }

  #read(name: (typeof ATTRIBUTES)[number]): string | undefined {
    return this.getAttribute(name) ?? undefined;
  }

  #update(): void {
    const seed = this.#read('seed');
    this.#image.alt = this.#read('alt') ?? '';
    if (!seed) {
      this.#image.removeAttribute('src');
      return;
    }
    const size = this.#read('size');
    const pin = this.#read('pin');
    // A file has its own size.
    const isFile = isGalleryPin(pin);
    this.#image.style.cssText =
      isFile && size !== undefined ? `width:${size}px;height:${size}px;object-fit:contain` : '';
    const format = this.#read('format');
    const base = new URL(this.#read('base') ?? '.', document.baseURI);
    this.#image.src = createClient(base, { pin }).img(seed, {
      size: size === undefined || isFile ? undefined : Number(size),
      format: format === 'webp' ? 'webp' : undefined,
      class: this.#read('class-name'),
      model: this.#read('model'),
    });
  }
}

customElements.define('killme-img', KillmeImageElement);
