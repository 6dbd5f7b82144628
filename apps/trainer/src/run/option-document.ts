import { markdownTable } from 'markdown-table';
import { METHOD_OPTIONS, OPTIONS, type OptionName, RUN_OPTIONS } from './option-table.ts';
import { describeDefault, kebab } from './option-text.ts';

/** docs/options.md: the option table for people. */
export function optionsDocument(): string {
  return `<!-- Written by \`npm run options -- --write\` from apps/trainer/src/run/option-table.ts: edit that. -->

# Options of \`npm run train\`

Each is a flag, or a key of the JSON file of \`--config\` in camel case: \`--save-every 500\` or
\`"saveEvery": 500\`. Flags win over the file. \`--dry-run\` prints the options of a run and stops;
\`--resume\` goes on with the run of \`--name\`, or with the newest one, and may change the options that
are marked with *.

## Of both presets

${tableOf(Object.keys(RUN_OPTIONS) as OptionName[])}

## Of preset lite

${tableOf(Object.keys(METHOD_OPTIONS) as OptionName[])}

What the methods of lite brought is in [methods.md](methods.md), with their sources.
`;
}

function tableOf(names: readonly OptionName[]): string {
  const rows = names.map((name) => {
    const { help, reason, value, onResume } = OPTIONS[name];
    const flag = `\`--${kebab(name)}${value === undefined ? '' : ` ${value}`}\``;
    return [`${flag}${onResume === 'may change' ? ' *' : ''}`, describeDefault(name), help, reason];
  });
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  return markdownTable([['option', 'default', 'what it does', 'why this default'], ...cells], {
    alignDelimiters: false,
  });
}
