import { readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { optionsDocument } from '../run/option-document.ts';
import { OPTIONS_DOCUMENT } from './options.ts';
import { createProgram } from './program.ts';

describe('killme', () => {
  it('train --help says what each option does and what it is without', async () => {
    const [train] = createProgram().commands;
    // Renew it by `npx vitest run src/commands -u`.
    train!.configureHelp({ helpWidth: 80 }); // whatever terminal this runs in
    await expect(train!.helpInformation()).toMatchFileSnapshot('train-help.txt');
  });

  it('options --write has been run since an option changed', async () => {
    expect(await readFile(OPTIONS_DOCUMENT, 'utf8')).toBe(optionsDocument());
  });

  it('train --dry-run of a sweep trains nothing, and names what prints its runs', async () => {
    const args = ['train', '--sweep', '/none.json', '--dry-run'];
    await expect(createProgram().parseAsync(args, { from: 'user' })).rejects.toThrow(
      '--dry-run is for one run: --plan prints those of a --sweep',
    );
  });

  it('train --dry-run prints every option, which of them were given, and stops', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const flags = '--dry-run --preset lite --name dry --augment none --class-condition off';
    await createProgram().parseAsync(['train', ...flags.split(' ')], { from: 'user' });
    const lines = log.mock.calls.flat().join('\n').split('\n');
    log.mockRestore();
    expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['options:'],
      ['--preset', 'lite', '(given)'],
      ['--data', 'the stand-in characters'],
      ['--image-size', '128'],
      ['--iterations', '20000'],
      ['--batch', '16'],
      ['--learning-rate', '0.001'],
      ['--backend', 'auto'],
      ['--seed', '0'],
      ['--name', 'dry', '(given)'],
      ['--save-every', '500'],
      ['--sample-every', '500'],
      ['--measure-every', '1000'],
      ['--patience', '0'],
      ['--strict', 'off'],
      ['--loss', 'relativistic'],
      ['--gradient-penalty', '1'],
      ['--class-condition', 'off', '(given)'],
      ['--shared-start', 'on'],
      ['--reconstruction-weight', '100'],
      ['--warm-up', '10000'],
      ['--latent-whitening', 'on'],
      ['--mapping-steps', '4000'],
      ['--minibatch-deviation', 'on'],
      ['--update-clipping', 'on'],
      ['--augment', 'none', '(given)'],
      ['--ema-decay', '0.998'],
    ]);
  });
});
