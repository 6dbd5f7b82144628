import { userPath } from '@killme/command-line';
import { UserError } from '@killme/model';
import { Command } from 'commander';
import { ABLATION_CSV } from '../ablation/ablate.ts';
import { readRows } from '../ablation/csv.ts';
import { replaceMarked } from '../ablation/replace-marked.ts';
import { ablationTables } from '../ablation/table.ts';

export function tablesCommand(): Command {
  return new Command('tables')
    .description('print what ablate has measured as Markdown tables: medians and ranges over seeds')
    .argument('[CSV]', 'without it docs/ablation.csv')
    .option(
      '--into <FILE>',
      'write them into a Markdown file instead, between <!-- tables --> and <!-- /tables -->',
      userPath,
    )
    .action(async (given: string | undefined, { into }: { into?: string }) => {
      const csv = given === undefined ? ABLATION_CSV : userPath(given);
      const rows = await readRows(csv);
      if (rows.length === 0) throw new UserError(`${csv} has no row: make some by npm run ablate`);
      const tables = ablationTables(rows);
      if (into === undefined) console.log(tables);
      else await replaceMarked(into, 'tables', tables);
    });
}
