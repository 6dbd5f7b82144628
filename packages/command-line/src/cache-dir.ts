import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** `$XDG_CACHE_HOME/killme`, or `~/.cache/killme` where the variable is not set. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  // The XDG specification has a relative path ignored, an empty one means not set.
  const base = env.XDG_CACHE_HOME;
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'killme');
}
