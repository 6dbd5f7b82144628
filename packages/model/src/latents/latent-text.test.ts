import { describe, expect, it } from 'vitest';
import { decodeLatent, encodeLatent, latentCharacters, seedToLatent } from '../index.ts';

const space = { size: 8, distribution: 'uniform' } as const;

// base64.urlsafe_b64encode(numpy.array([...], '<f2')), without '='
const numbers = [0, 1, -1, 0.1, -0.33333, 5e-8, 2 ** -14, 0.99995];
const text = 'AAAAPAC8Zi5VtQEAAAQAPA';
const rounded = [0, 1, -1, 0.0999755859375, -0.333251953125, 2 ** -24, 2 ** -14, 1];

describe('the text of a latent', () => {
  it("is that of NumPy's float16 in Python's urlsafe base64", () => {
    expect(encodeLatent(Float32Array.from(numbers))).toBe(text);
    expect([...decodeLatent(text, space)]).toEqual(rounded);
  });

  it('takes 267 characters for the 100 numbers of the article, and comes back within 2⁻¹²', () => {
    const article = { size: 100, distribution: 'uniform' } as const;
    const latent = seedToLatent('alice', article);
    const written = encodeLatent(latent);
    expect(written).toMatch(/^[\w-]{267}$/);
    expect(latentCharacters(100)).toBe(267);
    const back = decodeLatent(written, article);
    expect(Math.max(...latent.map((value, i) => Math.abs(value - back[i]!)))).toBeLessThanOrEqual(
      2 ** -12,
    );
    expect(encodeLatent(back)).toBe(written);
  });

  it.each([
    ['one character too few', text.slice(1), 'has 21 characters'],
    ['one too many', `${text}A`, 'has 23 characters'],
    ['padding', `${text}==`, 'has characters that base64url has not'],
    ['the other alphabet', text.replace('i5', '+/'), 'has characters that base64url has not'],
    ['bits that no number has', `${text.slice(0, -1)}B`, 'has bits beyond its last number'],
    ['NaN', encodeLatent(Float32Array.from(numbers).fill(NaN, 2, 3)), 'has NaN as number 3'],
    ['infinity', encodeLatent(new Float32Array(8).fill(1e9, 7)), 'has Infinity as number 8'],
    [
      'more than 1',
      encodeLatent(new Float32Array(8).fill(-1.001, 1)),
      'has -1.0009765625 as number 2',
    ],
  ])('is refused with %s', (_, wrong, reason) => {
    expect(() => decodeLatent(wrong, space)).toThrow(reason);
  });
});
