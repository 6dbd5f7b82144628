import { existsSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import type { Document } from './markdown.ts';
import { ROOT } from './repository.ts';

/** @returns one line for each link within the repository that leads nowhere. */
export function checkLinks(documents: ReadonlyMap<string, Document>): string[] {
  return [...documents].flatMap(([path, { links }]) =>
    links
      .filter(({ text }) => !/^[a-z+]+:/.test(text))
      .filter(({ text }) => !leadsSomewhere(path, text, documents))
      .map(({ text, line }) => `${path}:${line}: ${text} leads nowhere`),
  );
}

function leadsSomewhere(from: string, link: string, documents: ReadonlyMap<string, Document>) {
  const [file, anchor] = link.split('#') as [string, string | undefined];
  const path = file === '' ? from : normalize(join(dirname(from), decodeURI(file)));
  if (!existsSync(resolve(ROOT, path))) return false;
  const target = documents.get(path);
  return anchor === undefined || target === undefined || target.anchors.has(anchor);
}
