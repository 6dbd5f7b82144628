import { resolve } from 'node:path';
import { writeFileWhole } from '@killme/command-line';
import { Command } from 'commander';
import { optionsDocument } from '../run/option-document.ts';

/** Where the table is committed. */
export const OPTIONS_DOCUMENT = resolve(import.meta.dirname, '../../../../docs/options.md');

export function optionsCommand(): Command {
  return new Command('options')
    .description('print the options of train as a Markdown document')
    .option('--write', 'write it to docs/options.md instead')
    .action(async ({ write }: { write?: boolean }) => {
      if (write) await writeFileWhole(OPTIONS_DOCUMENT, optionsDocument());
      else process.stdout.write(optionsDocument());
    });
}
