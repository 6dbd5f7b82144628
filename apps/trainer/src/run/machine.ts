import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname } from 'node:os';
import type { Engine } from '../engines/engine.ts';

/** What made a figure: rows of unlike machines or versions may not be comparable. */
export interface Machine {
  host: string;
  /** The GPU, or the CPU and its cores. */
  device: string;
  /** The commit, with `-changed` where files differ from it; without git the package's version. */
  version: string;
}

export function describeMachine({ gpu, device }: Engine): Machine {
  const cpu = `${cpus()[0]?.model.trim() ?? 'a CPU without a name'} × ${availableParallelism()}`;
  return { host: hostname(), device: gpu ? device : cpu, version: codeVersion() };
}

function codeVersion(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') ? `${commit}-changed` : commit;
  } catch {
    const file = new URL('../../package.json', import.meta.url);
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
}
