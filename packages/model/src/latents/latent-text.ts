/**
 * A latent as text for addresses and files: each component as float16 (IEEE 754 binary16, 2 bytes,
 * little-endian), all of them in base64url (RFC 4648, section 5) without `=`. 100 components are 267
 * characters. float16 is within 2⁻¹² of any number in [-1, 1].
 *
 * @module
 */
import { float16Bits, float16Table } from '../float16.ts';
import { UserError } from '../user-error.ts';
import { type LatentSpace, withinBounds } from './latent.ts';

/** Characters of the text of a latent of `size` components. */
export const latentCharacters = (size: number): number => Math.ceil((size * 2 * 8) / 6);

/** The text of a latent `[size]`, its components rounded to float16. */
export function encodeLatent(latent: Float32Array): string {
  return encodeBits(Uint16Array.from(latent, float16Bits));
}

/**
 * The latent `[space.size]` of a text. Each latent has one text only, so that a cache need not hold
 * a picture twice.
 * @throws UserError with what is wrong with it, as what follows "it": `has 4 characters`.
 */
export function decodeLatent(text: string, space: LatentSpace): Float32Array {
  if (!/^[\w-]*$/.test(text)) throw new UserError('has characters that base64url has not');
  if (text.length !== latentCharacters(space.size)) {
    throw new UserError(`has ${text.length} characters`);
  }
  const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bits = Uint16Array.from(
    { length: space.size },
    (_, i) => bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8),
  );
  if (encodeBits(bits) !== text) throw new UserError('has bits beyond its last number');
  const table = float16Table();
  const latent = Float32Array.from(bits, (value) => table[value]!);
  const within = withinBounds(latent, space);
  const outside = latent.findIndex((value, i) => value !== within[i]);
  if (outside >= 0) throw new UserError(`has ${latent[outside]} as number ${outside + 1}`);
  return latent;
}

function encodeBits(bits: ArrayLike<number>): string {
  const bytes = Array.from(bits, (value) => String.fromCharCode(value & 255, value >> 8));
  return btoa(bytes.join('')).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
