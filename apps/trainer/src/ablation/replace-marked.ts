import { readNamedText, writeFileWhole } from '@killme/command-line';
import { UserError } from '@killme/model';

/**
 * Replaces what stands between `<!-- name -->` and `<!-- /name -->` in a Markdown file.
 * @throws UserError when the file cannot be read or does not have both marks in this order.
 */
export async function replaceMarked(path: string, name: string, text: string): Promise<void> {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = await readNamedText(path);
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) {
    throw new UserError(`${path} has no place for it: write the lines ${begin} and ${end} there`);
  }
  const after = `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`;
  await writeFileWhole(path, after);
}
