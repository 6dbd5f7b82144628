import { resolve } from 'node:path';
import process from 'node:process';

/**
 * The folder in which the command was typed: npm starts scripts in the package's folder and leaves
 * the person's in INIT_CWD; turbo starts npm again and leaves it in a variable of its own.
 */
export function userFolder(): string {
  const { TURBO_INVOCATION_DIR, INIT_CWD } = process.env;
  return TURBO_INVOCATION_DIR ?? INIT_CWD ?? process.cwd();
}

/** A path that a person wrote; a relative one starts where the person stands. */
export const userPath = (path: string): string => resolve(userFolder(), path);
