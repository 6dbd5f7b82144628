import { markdownTable } from 'markdown-table';

/** Three digits. */
export const number = (value: number) => String(Number(value.toPrecision(3)));

/** A Markdown table whose columns are numbers, but for the first. @param lines the head first. */
export function numberTable(lines: readonly (readonly string[])[]): string {
  return markdownTable(lines, { align: lines[0]!.map((_, i) => (i === 0 ? 'l' : 'r')) });
}
