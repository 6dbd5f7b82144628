import { relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runsFolder } from './runs-folder.ts';
import { userFolder } from './user-path.ts';

describe('runsFolder', () => {
  it('is runs/ of the repository, or what KILLME_RUNS names, from where the person stands', () => {
    const root = resolve(import.meta.dirname, '../../..');
    expect(relative(root, runsFolder({}))).toBe('runs');
    expect(relative(root, runsFolder({ KILLME_RUNS: '' }))).toBe('runs');
    expect(runsFolder({ KILLME_RUNS: '/sweep/runs' })).toBe('/sweep/runs');
    expect(runsFolder({ KILLME_RUNS: '../r' })).toBe(resolve(userFolder(), '../r'));
  });
});
