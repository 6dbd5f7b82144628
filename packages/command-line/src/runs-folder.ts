import { resolve } from 'node:path';
import process from 'node:process';
import { userPath } from './user-path.ts';

/** Where runs live: `KILLME_RUNS`, or `runs/` of the repository wherever the command is typed. */
export function runsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.KILLME_RUNS
    ? userPath(env.KILLME_RUNS)
    : resolve(import.meta.dirname, '../../../runs');
}
