import { expect, it } from 'vitest';
import { memoryStore } from './memory-store.ts';

it('keeps the pictures that were asked for last, up to so many bytes', async () => {
  const { find, keep } = memoryStore(100);
  const picture = (size: number) => ({ bytes: new Uint8Array(size), contentType: 'image/png' });
  await keep('a', picture(40));
  await keep('b', picture(40));
  expect(await find('a')).toHaveLength(40);
  await keep('c', picture(40));
  expect([await find('a'), await find('b'), await find('c')]).toEqual([
    new Uint8Array(40),
    undefined,
    new Uint8Array(40),
  ]);
  await keep('too large', picture(101));
  expect(await find('too large')).toBeUndefined();
});
