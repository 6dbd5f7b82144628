import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { defaultCacheDir } from './cache-dir.ts';

describe('defaultCacheDir', () => {
  it('follows the XDG specification', () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/killme');
    expect(defaultCacheDir({ XDG_CACHE_HOME: 'relative' })).toBe(`${homedir()}/.cache/killme`);
    expect(defaultCacheDir({})).toBe(`${homedir()}/.cache/killme`);
  });
});
