import { describe, expect, it } from 'vitest';
import type { Entry } from './contestant.ts';
import { ratiosOf, ratiosTable, timesTable } from './table.ts';

function entry(implementation: 'plain' | 'ours' | 'Keras', seconds: number[], batch = 32): Entry {
  const contestant =
    implementation === 'Keras'
      ? ({ engine: 'python', implementation, preset: 'article', python: 'python3', batch } as const)
      : ({ engine: 'wasm', implementation, preset: 'article', batch } as const);
  const cpuSeconds = seconds.map((each) => (implementation === 'ours' ? 2 : 3) * each);
  return { contestant, device: 'CPU', seconds, cpuSeconds, peakBytes: 3 * 2 ** 29 };
}

describe('ratiosOf', () => {
  it('divides round by round: a machine that slows down for both changes nothing', () => {
    const [ratio] = ratiosOf([entry('plain', [4, 40, 400]), entry('ours', [1, 10, 100])]);
    expect(ratio).toMatchObject({ median: 4, lowest: 4, highest: 4, cpuMedian: 6 });
  });

  it('compares equal batches only, and nobody that failed', () => {
    const plain = entry('plain', [4], 4);
    const failed = { ...entry('plain', []), failure: 'Error: out of memory' };
    const entries = [
      plain,
      failed,
      entry('ours', [1], 4),
      entry('ours', [8]),
      entry('Keras', [12]),
    ];
    const found = ratiosOf(entries).map(({ other, median: middle }) => [
      other.contestant.implementation,
      middle,
    ]);
    expect(found).toEqual([
      ['plain', 4],
      ['Keras', 1.5],
    ]);
  });
});

describe('timesTable', () => {
  it('gives medians, their spread and memory, or why there are none', () => {
    const failed = { ...entry('plain', []), failure: 'Error: out of memory' };
    const rows = timesTable([entry('ours', [1.5, 1.25, 2]), failed]).split('\n');
    const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
    expect(cells[2]!.slice(1, -1).join()).toBe(
      'wasm,ours,article,32,1.50,1.25 to 2.00,0.667,3.00,1536.0 MiB,CPU',
    );
    expect(cells[3]!.at(-2)).toBe('failed: Error: out of memory');
  });
});

describe('ratiosTable', () => {
  it('names who is faster than whom', () => {
    const table = ratiosTable(ratiosOf([entry('ours', [2, 2]), entry('Keras', [3, 4])]));
    expect(table.split('\n')[2]).toMatch(
      /ours on wasm \| Keras in Python \| 32 +\| 1\.75× \| 1\.50 to 2\.00 +\| 2\.63×/,
    );
  });
});
