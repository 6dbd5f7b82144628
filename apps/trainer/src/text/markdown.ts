/** Three digits. */
export const number = (value: number) => String(Number(value.toPrecision(3)));

/** @param lines the head first; all but the first column are numbers. */
export function markdownTable(lines: readonly (readonly string[])[]): string {
  const [head, ...rest] = lines;
  const rule = head!.map((_, i) => (i === 0 ? '---' : '--:'));
  return [head!, rule, ...rest].map((line) => `| ${line.join(' | ')} |`).join('\n');
}
