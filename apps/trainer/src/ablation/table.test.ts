import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRows } from './csv.ts';
import { ablationTables } from './table.ts';

const rows = await readRows(join(import.meta.dirname, 'fixtures/ablation.csv'));
const tables = ablationTables(rows);

/** The cells of a variant's line in the part of the text that begins with `title`, without its name. */
function line(title: string, variant: string): string[] {
  const part = tables.slice(tables.indexOf(title));
  const found = part.split('\n').find((text) => text.startsWith(`| ${variant} `))!;
  return found
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}

describe('the tables of the ablation', () => {
  const title = 'characters, 300 CPU seconds on tensorflow, seeds 1, 2, 3:';

  it('have one for each data and time: only equal ones are compared', () => {
    const titles = tables.split('\n').filter((text) => text.endsWith(':'));
    const normalised = 'Normalised (0: real images held out, 1: the article):';
    expect(titles).toEqual([
      title,
      normalised,
      'icons, mine, 300 CPU seconds on tensorflow, seeds 1:',
      'characters, 60 CPU seconds on tensorflow, seeds 1:',
    ]);
  });

  it('have the median over seeds, and their range', () => {
    const [seeds, warmUp, iterations, swd, rkid, precision, recall] = line(title, 'lite');
    expect({ seeds, warmUp, iterations, swd, rkid, precision, recall }).toEqual({
      seeds: '2',
      warmUp: '10000',
      iterations: '720 (700 to 740)',
      swd: '50 (40 to 60)',
      rkid: '2 (1 to 3)',
      precision: '0.25',
      recall: '0.55 (0.5 to 0.6)',
    });
    expect(line(title, 'lite').slice(-7)).toEqual([
      '0.4 (0.3 to 0.5)',
      '0.25',
      '1',
      '0.5 (0.25 to 0.75)',
      '0.2',
      '0.375 (0.25 to 0.5)',
      '2.5 (2 to 3)',
    ]);
  });

  it('end with what real images reach that were held out', () => {
    expect(line(title, 'real, held out')).toEqual([
      '',
      '',
      '',
      '10',
      '0',
      '0.75',
      '1',
      '1',
      '1',
      '0.1',
      '0',
      '',
      '',
      '',
      '',
      '1',
    ]);
  });

  // SWD: (60 − 10) / (110 − 10) = 0.5 and (40 − 10) / (70 − 10) = 0.5. rKID: 1/4 and 3/4.
  // Precision: (0.25 − 0.75) / (0.5 − 0.75) = 2; of seed 2 the article is at the floor: no score.
  // Recall: (0.5 − 1) / (0 − 1) = 0.5 and (0.6 − 1) / (0.2 − 1) = 0.5.
  it('normalise seed by seed: 0 is the floor, 1 the article of the same seed', () => {
    const normalised = tables.slice(tables.indexOf('Normalised'));
    const text = normalised.split('\n').find((one) => one.startsWith('| lite '))!;
    expect(text.replaceAll(/ +/g, ' ')).toBe(
      '| lite | 2 | 10000 | 0.5 | 0.5 (0.25 to 0.75) | 2 | 0.5 | 0.5 | 0.5 |',
    );
  });

  it('normalise nothing where the article has no row of that seed', () => {
    const normalised = tables.slice(tables.indexOf('Normalised'), tables.indexOf('icons, mine'));
    expect(normalised).not.toContain('augment-color');
    expect(line('icons, mine', 'lite').slice(1, 5)).toEqual(['10000', '710', '123', '-0.01']);
  });

  it('have a dash for what older rows lack', () => {
    expect(line(title, 'article').slice(-7, -2)).toEqual(['–', '–', '–', '–', '–']);
  });

  it('have a dash where the data have no classes', () => {
    expect(line('icons, mine', 'lite').at(-2)).toBe('–');
  });
});
