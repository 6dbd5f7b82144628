import { readFile } from 'node:fs/promises';
import { writeFileWhole } from '@killme/command-line';

/**
 * A line that comes again begins with the number of its iteration: that of a step (`formatLogLine`), or of a
 * measurement (`formatQuality`).
 */
const ITERATION = /^(\d+) (?:\[|quality: )/;

/**
 * Begins a run's log, or cuts one back to the iterations before `start`, which will come again. What
 * a kill has cut off in the middle of a line goes too.
 */
export async function startLogFile(path: string, start: number): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split(/(?<=\n)/);
  const end = lines.findIndex((line) => Number(ITERATION.exec(line)?.[1] ?? -1) >= start);
  await writeFileWhole(path, (end < 0 ? lines : lines.slice(0, end)).join(''));
}
