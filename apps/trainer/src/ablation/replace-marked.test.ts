import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { replaceMarked } from './replace-marked.ts';

async function markdownFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'killme-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'results.md');
  await writeFile(path, text);
  return path;
}

it('replaces what stands between the marks, and nothing else', async () => {
  const path = await markdownFile('# Results\n\n<!-- tables -->\nold\n<!-- /tables -->\n\nEnd.\n');
  await replaceMarked(path, 'tables', '| a |\n| - |');
  expect(await readFile(path, 'utf8')).toBe(
    '# Results\n\n<!-- tables -->\n\n| a |\n| - |\n\n<!-- /tables -->\n\nEnd.\n',
  );
});

it('refuses a file without marks, and one that is not there, in one line', async () => {
  const path = await markdownFile('# Results\n');
  await expect(replaceMarked(path, 'tables', '')).rejects.toThrow(
    `${path} has no place for it: write the lines <!-- tables --> and <!-- /tables --> there`,
  );
  await expect(replaceMarked(`${path}x`, 'tables', '')).rejects.toThrow(
    `there is no file ${path}x`,
  );
});
