/**
 * The repository's own Markdown files.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Document, readDocument } from './markdown.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Markdown files that git knows or would add, by their paths in the repository. */
export function readDocuments(): Map<string, Document> {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '*.md'],
    { cwd: ROOT, encoding: 'utf8' },
  );
  const paths = listed.trim().split('\n');
  return new Map(
    paths.map((path) => [path, readDocument(readFileSync(resolve(ROOT, path), 'utf8'))]),
  );
}
