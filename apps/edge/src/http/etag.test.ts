import { expect, it } from 'vitest';
import { matchesTag, unchanged } from './etag.ts';

const XYZZY = '"xyzzy"';

// The examples of RFC 9110, 13.1.2, and a tag that holds a comma.
it.each([
  ['"xyzzy"', true],
  ['W/"xyzzy"', true],
  ['"xyzzy", "r2d2xxxx", "c3piozzzz"', true],
  ['W/"r2d2xxxx",W/"xyzzy"', true],
  ['*', true],
  [' * ', true],
  ['"r2d2xxxx"', false],
  ['"a, "xyzzy"', false],
  ['xyzzy', false],
  ['', false],
])('If-None-Match: %s', (header, matches) => {
  expect(matchesTag(header, XYZZY)).toBe(matches);
});

it('a 304 is for the client that has the tag of the answer, with its headers and no body', () => {
  const headers = new Headers({ ETag: XYZZY, 'Cache-Control': 'public' });
  const ask = (tag: string) =>
    unchanged(new Request('http://localhost', { headers: { 'If-None-Match': tag } }), headers);
  expect(unchanged(new Request('http://localhost'), headers)).toBeUndefined();
  expect(ask('"other"')).toBeUndefined();
  const same = ask(XYZZY)!;
  expect([same.status, same.body, Object.fromEntries(same.headers)]).toEqual([
    304,
    null,
    { etag: XYZZY, 'cache-control': 'public' },
  ]);
});
