/**
 * What the checks need of a Markdown file: its links, the anchors of its headings, its shell blocks.
 *
 * @module
 */
import GithubSlugger from 'github-slugger';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { visit } from 'unist-util-visit';

/** Something in a file, and the line (from 1) on which it stands. */
export interface Found {
  text: string;
  line: number;
}

export interface Document {
  /** Targets of links and images, those of HTML tags too. */
  links: Found[];
  /** Fragments that lead to headings, as GitHub makes them. */
  anchors: Set<string>;
  /** Command lines of blocks marked `sh`; a line that ends in a backslash goes on in the next. */
  commands: Found[];
}

export function readDocument(markdown: string): Document {
  const document: Document = { links: [], anchors: new Set(), commands: [] };
  const slugger = new GithubSlugger();
  visit(fromMarkdown(markdown), (node) => {
    const line = node.position?.start.line ?? 1;
    if (node.type === 'link' || node.type === 'image' || node.type === 'definition') {
      document.links.push({ text: node.url, line });
    } else if (node.type === 'html') {
      for (const [, text] of node.value.matchAll(/\b(?:src|href)="([^"]+)"/g)) {
        document.links.push({ text: text!, line });
      }
    } else if (node.type === 'heading') {
      document.anchors.add(slugger.slug(textOf(node)));
    } else if (node.type === 'code' && node.lang === 'sh') {
      document.commands.push(...commandLines(node.value, line + 1));
    }
  });
  return document;
}

function textOf(node: Nodes): string {
  if ('value' in node) return node.value;
  return 'children' in node ? node.children.map(textOf).join('') : '';
}

function commandLines(code: string, firstLine: number): Found[] {
  const found: Found[] = [];
  let before: Found | undefined;
  for (const [i, text] of code.split('\n').entries()) {
    const command: Found = before
      ? { text: `${before.text} ${text.trim()}`, line: before.line }
      : { text, line: firstLine + i };
    const goesOn = command.text.endsWith('\\');
    before = goesOn ? { ...command, text: command.text.slice(0, -1).trim() } : undefined;
    if (!goesOn && command.text.trim() !== '') found.push(command);
  }
  return found;
}
