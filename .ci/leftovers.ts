/**
 * Processes that outlive the tests which started them, such as the servers of a test file that failed
 * before its end. A child inherits its parent's environment, so a variable marks all descendants.
 * Only Linux shows the environment of other processes; elsewhere nothing is found.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process that is still there. */
export interface Leftover {
  pid: number;
  /** Its command line. */
  command: string;
}

/**
 * Ends by SIGKILL every process whose environment has the variable with this value, except this one.
 * @returns the processes that were ended.
 */
export function endLeftovers(variable: string, value: string): Leftover[] {
  const leftovers = findMarked(`${variable}=${value}`);
  for (const { pid } of leftovers) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended
    }
  }
  return leftovers;
}

function findMarked(mark: string): Leftover[] {
  if (!existsSync('/proc/self/environ')) return [];
  return (
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => readProc(pid, 'environ').includes(mark))
      .map((pid) => ({ pid: Number(pid), command: readProc(pid, 'cmdline').join(' ').trim() }))
      // A zombie has no command line; esbuild's service ends with its parent by itself.
      .filter(({ command }) => command !== '' && !command.includes('esbuild --service'))
  );
}

/** The strings of a file in /proc; none when the process has ended or is another user's. */
function readProc(pid: string, file: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
