import { expect, it } from 'vitest';
import { fileNameOf, identityOf } from './plan.ts';

it('two ways to ask for the same picture have one identity', () => {
  const size = { width: 128, height: 128 };
  const facts = { size, gallery: undefined };
  const plain = identityOf({ seed: 'a', size: undefined, download: false }, facts);
  expect(plain).toEqual({ seed: 'a', size: '128x128', gallery: undefined });
  const written = { seed: 'a', size: 128, download: true, model: 'lite' };
  expect(identityOf(written, facts)).toEqual(plain);
});

it('a class and a gallery make other pictures', () => {
  const gallery = {
    pictures: 7,
    image: { width: 8, height: 8, channels: 3 as const, range: [-1, 1] as [number, number] },
    seedOf: (seed: string) => seed,
    read: async () => new Uint8Array(),
  };
  const parameters = { seed: 'a', class: 'raven', download: false };
  expect(identityOf(parameters, { gallery })).toEqual({
    ...{ seed: 'a', class: 'raven', size: undefined, gallery: 7 },
  });
});

it('a file is named only when it is asked for', () => {
  const parameters = { model: 'lite', class: undefined };
  expect(fileNameOf({ ...parameters, download: false }, ['alice'])).toBeUndefined();
  expect(fileNameOf({ ...parameters, download: true }, ['alice', 'bob'])).toEqual([
    ...['alice', 'bob', 'lite'],
  ]);
});
