/**
 * The programs that building the binding needs, and running them with their output kept in a log.
 *
 * @module
 */

import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { UserError } from '@killme/model';

/** Whether a command can be run and ends with 0. */
export function succeeds(command: string, args: string[]): boolean {
  return outputOf(command, args) !== undefined;
}

/** What a command prints; undefined if it is missing or fails. */
export function outputOf(command: string, args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}

/** Stops with the package to install when there is no C++ compiler or no make. */
export function requireCompiler(): void {
  for (const command of [process.env.CXX ?? 'g++', 'make']) {
    if (!succeeds(command, ['--version'])) {
      throw new UserError(
        `${command} is missing: install a C++ compiler and make (Debian, Ubuntu: apt-get install build-essential)`,
      );
    }
  }
}

/**
 * The Python to use: the one asked for, else the first on PATH that fits.
 *
 * @param options.forPip whether it must also be able to install TensorFlow's wheel.
 */
export function findPython(asked: string | undefined, { forPip = false } = {}): string {
  const candidates = asked
    ? [asked]
    : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
  const refusals: string[] = [];
  for (const candidate of candidates) {
    const refusal = refusePython(candidate, forPip);
    if (!refusal) return candidate;
    refusals.push(refusal);
  }
  throw new UserError(`${refusals[0]}; name another with --python`);
}

/** Why this Python will not do; undefined if it will. */
function refusePython(python: string, forPip: boolean): string | undefined {
  const version = outputOf(python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  if (version === undefined) return `${python} is missing: install Python 3.10 to 3.13`;
  if (!forPip) return undefined;
  const [major, minor] = version.split('.').map(Number);
  if (major !== 3 || minor === undefined || minor < 10 || minor > 13) {
    return `${python} is Python ${version.trim()}, TensorFlow's wheel needs 3.10 to 3.13`;
  }
  if (!succeeds(python, ['-m', 'pip', '--version'])) {
    return `${python} has no pip: install it (Debian, Ubuntu: apt-get install python3-pip)`;
  }
  return undefined;
}

/** The folder to give node-gyp as `--nodedir`; undefined lets it download the headers. */
export function headersOfNode(): string | undefined {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? prefix : undefined;
}

/** node-gyp comes with npm, which names it to the scripts it runs; else npm is looked for on PATH. */
export function nodeGyp(): string {
  const named = process.env.npm_config_node_gyp;
  if (named && existsSync(named)) return named;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const npm = join(folder, 'npm');
    if (!existsSync(npm)) continue;
    const gyp = join(dirname(dirname(realpathSync(npm))), 'node_modules/node-gyp/bin/node-gyp.js');
    if (existsSync(gyp)) return gyp;
  }
  throw new UserError('node-gyp is missing: it comes with npm, run npm run setup:tensorflow');
}

export interface RunOptions {
  log: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** What to say when the command fails, before the last error line that it printed. */
  failure: string;
}

/** Runs a command quietly; resolves to what it printed on stdout. */
export async function runLogged(
  command: string,
  args: string[],
  { log, cwd, env, failure }: RunOptions,
): Promise<string> {
  appendFileSync(log, `\n$ ${[command, ...args].join(' ')}\n`);
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let all = '';
  const keep = (chunk: string) => {
    all += chunk;
    appendFileSync(log, chunk);
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    keep(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', keep);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.on('error', reject);
  child.on('close', (code, signal) => {
    if (code === 0) return resolve(stdout);
    const how = signal ? `it was ended by ${signal}` : errorLine(all);
    reject(new UserError(`${failure}: ${how} (all of it: ${log})`));
  });
  return promise;
}

/** The line of a failed command's output that most likely says why. */
function errorLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim());
  const telling = lines.filter((line) => /\berror\b/i.test(line));
  return (telling.find((line) => /error:/i.test(line)) ?? lines.at(-1) ?? 'no output').trim();
}
