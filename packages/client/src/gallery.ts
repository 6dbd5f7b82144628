/**
 * Where pictures of a gallery lie: files that were rendered beforehand, at addresses that need no program
 * to be answered. Anyone can compute them, from a pin and a seed.
 *
 * @module
 */
/*! With @noble/hashes: MIT License, Copyright (c) 2022 Paul Miller, https://paulmillr.com, https://github.com/paulmillr/noble-hashes/blob/main/LICENSE */
import { shake128 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/** Digits of the generator's hash in the address of a file. */
const HASH_DIGITS = 16;

/** At least as many digits of the hash, and the pictures of the gallery. */
const GALLERY_PIN = /^([0-9a-f]{16})[0-9a-f]{0,48}-([1-9]\d{0,6})$/;

/**
 * The picture that a seed stands for in a gallery: 0 to `pictures` − 1. Frozen: it is the first word of
 * SHAKE128 over the UTF-8 of `killme/gallery/v1/<seed>`, in little-endian words of 32 bits, that is below the
 * greatest multiple of `pictures` up to 2³², modulo `pictures`.
 */
export function galleryPicture(seed: string, pictures: number): number {
  const stream = shake128.create().update(utf8ToBytes(`killme/gallery/v1/${seed}`));
  const unbiased = 2 ** 32 - (2 ** 32 % pictures);
  const nextWord = () => new DataView(stream.xof(4).buffer).getUint32(0, true);
  let word = nextWord();
  while (word >= unbiased) word = nextWord();
  return word % pictures;
}

/**
 * Where a picture of a gallery is, from the server's root: `g/4f3a9c12d0e1f2a3/17.png`.
 * @param hash of the generator, 16 digits or more
 */
export const galleryFile = (hash: string, picture: number): string =>
  `g/${hash.slice(0, HASH_DIGITS)}/${picture}.png`;

/** Whether pictures of a seed at this pin are files of a gallery. */
export const isGalleryPin = (pin: string | undefined): boolean =>
  pin !== undefined && GALLERY_PIN.test(pin);

/**
 * Where the picture of a seed is, from the server's root.
 * @param pin of a gallery, `4f3a9c12d0e1f2a3-1000`; `/model` has it
 * @returns undefined when seeds stand for no files there: of a generator that renders, and of pins shorter
 *   than 16 digits.
 */
export function galleryFileOf(seed: string, pin: string): string | undefined {
  const [, hash, pictures] = GALLERY_PIN.exec(pin) ?? [];
  return hash === undefined ? undefined : galleryFile(hash, galleryPicture(seed, Number(pictures)));
}
