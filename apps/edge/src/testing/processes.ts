import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

/** A process of this machine. */
export interface RunningProcess {
  pid: number;
  parent: number;
  /** Its command line. */
  command: string;
}

/** All processes: of Linux's /proc, as a bare Debian has no `ps`; elsewhere of `ps`. */
export function listProcesses(): RunningProcess[] {
  if (process.platform !== 'linux') return readPs();
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.flatMap((id) => readProc(Number(id)) ?? []);
}

/** A process and all its descendants. */
export function familyOf(ancestor: number): RunningProcess[] {
  const processes = listProcesses();
  const family = new Set([ancestor]);
  // Parents come before children only by chance, so the list is gone through again for each generation.
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  return processes.filter(({ pid }) => family.has(pid));
}

/** @returns nothing when it has ended. */
function readProc(pid: number): RunningProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may have blanks; after it come the state and the parent.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
    return { pid, parent: Number(parent), command };
  } catch {
    return undefined;
  }
}

function readPs(): RunningProcess[] {
  const text = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}
