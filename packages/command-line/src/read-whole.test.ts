import { describe, expect, it } from 'vitest';
import { readWhole } from './read-whole.ts';

describe('readWhole', () => {
  it('reads digits, from the least to the most', () => {
    expect(
      ['1', '007', '60'].map((text) => readWhole('--n', text, { least: 1, most: 60 })),
    ).toEqual([1, 7, 60]);
    expect(readWhole('--n', '9007199254740991', { least: 0 })).toBe(9007199254740991);
  });

  it.each(['0', '61', '1.5', '1e1', '-1', ' 2', '0x10', 'two'])('refuses %s', (text) => {
    expect(() => readWhole('--n', text, { least: 1, most: 60 })).toThrow(
      `--n must be a whole number from 1 to 60, not ${text}`,
    );
  });

  it('says where nothing was written, and where there is no most', () => {
    expect(() => readWhole('--n', undefined, { least: 2 })).toThrow(
      '--n must be a whole number from 2; it is missing',
    );
    expect(() => readWhole('--n', '', { least: 2 })).toThrow('from 2, not nothing');
    expect(() => readWhole('--n', '9007199254740993', { least: 2 })).toThrow('from 2, not 9');
  });
});
