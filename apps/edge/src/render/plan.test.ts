import { expect, it } from 'vitest';
import { fileNameOf, identityOf } from './plan.ts';

/** What parameters are when nothing is said. */
const unsaid = { metadata: 'all', download: false } as const;

it('two ways to ask for the same picture have one identity', () => {
  const own = { width: 96, height: 128 };
  const plain = identityOf({ ...unsaid, seed: 'a' }, { size: own, own });
  expect(plain).toEqual({ metadata: 'all', seed: 'a', size: undefined });
  const written = { ...unsaid, seed: 'a', size: 128, download: true, model: 'lite' };
  expect(identityOf(written, { size: own, own })).toEqual(plain);
});

it('a class, a size and metadata make other files', () => {
  const sizes = { size: { width: 48, height: 64 }, own: { width: 96, height: 128 } };
  const written = { ...unsaid, seed: 'a', class: 'raven', metadata: 'none' } as const;
  expect(identityOf(written, sizes)).toEqual({
    ...{ seed: 'a', class: 'raven', metadata: 'none', size: 64 },
  });
});

it('a file is named only when it is asked for', () => {
  const parameters = { ...unsaid, model: 'lite', class: undefined };
  expect(fileNameOf(parameters, ['alice'])).toBeUndefined();
  expect(fileNameOf({ ...parameters, download: true }, ['alice', 'bob'])).toEqual([
    ...['alice', 'bob', 'lite'],
  ]);
});
