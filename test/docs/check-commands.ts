/**
 * Checks the commands of the docs. Most of them train, serve or deploy, so they are not run to their
 * end: each is started as it is written with one unknown option more. It must refuse that one: then
 * the command exists, and all its other options are known and have values that can be.
 *
 * @module
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { createApp, diskOptions, SHIPPED_GENERATORS } from '@killme/edge';
import { parse } from 'shell-quote';
import type { Document } from './markdown.ts';
import { ROOT } from './repository.ts';

/** No option of any command. */
const UNKNOWN = '--checked-by-docs';

/** What takes the options of a script, its last command. */
const PROGRAM = /(?:^|&& )exec node (.+)$/;

/** Commands of npm that take no options of ours. */
const PLAIN = new Set(['test', 'test:unit', 'lint', 'lint:fix', 'typecheck', 'check:docs']);

const packageScripts = (folder: string): Record<string, string> =>
  JSON.parse(readFileSync(resolve(ROOT, folder, 'package.json'), 'utf8')).scripts ?? {};

const SCRIPTS = packageScripts('.');
const TASKS: Record<string, unknown> = JSON.parse(
  readFileSync(resolve(ROOT, 'turbo.json'), 'utf8'),
).tasks;

export interface CheckedCommand {
  /** `path:line` of the Markdown file. */
  place: string;
  command: string;
  result: 'ok' | 'failed' | 'not checked';
  /** Why it failed, or was not checked. */
  reason?: string;
}

/** Checks all commands of all documents, a few at a time. */
export async function checkCommands(
  documents: ReadonlyMap<string, Document>,
): Promise<CheckedCommand[]> {
  const todo = [...documents].flatMap(([path, { commands }]) =>
    commands.flatMap(({ text, line }) =>
      splitCommands(text).map((words) => ({
        folder: dirname(path),
        place: `${path}:${line}`,
        words,
      })),
    ),
  );
  // The same command stands in several places.
  const verdicts = new Map<string, Promise<Verdict>>();
  const queue = limit(availableParallelism());
  return Promise.all(
    todo.map(async ({ folder, place, words }) => {
      const command = words.join(' ');
      const verdict = verdicts.get(command) ?? queue(() => judge(words, folder));
      verdicts.set(command, verdict);
      return { place, command, ...(await verdict) };
    }),
  );
}

type Verdict = Pick<CheckedCommand, 'result' | 'reason'>;

const failed = (reason: string): Verdict => ({ result: 'failed', reason });

/** The words of each command of a line such as `a b && c # comment`. */
export function splitCommands(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const token of parse(line)) {
    if (typeof token === 'string') commands.at(-1)!.push(token);
    else if ('comment' in token) break;
    else if (token.op === 'glob') commands.at(-1)!.push(token.pattern);
    else if (token.op !== '>' && token.op !== '|') commands.push([]);
    else break; // what is done with its output is not checked
  }
  return commands.filter((words) => words.length > 0);
}

/** @param folder of the document, beside which its files may lie. */
async function judge(words: readonly string[], folder: string): Promise<Verdict> {
  const [program, ...args] = words as [string, ...string[]];
  if (program === 'npm') return judgeNpm(args);
  if (program === 'npx' && args[0] === 'turbo') return judgeTurbo(args);
  if (program === 'curl') return judgeRequest(args);
  const files = words.filter((word) => /^[\w./-]+\.(?:py|sh|ts|txt)$/.test(word));
  const missing = files.filter(
    (file) => ![ROOT, resolve(ROOT, folder)].some((base) => existsSync(resolve(base, file))),
  );
  if (missing.some((file) => !isIgnored(file))) return failed(`there is no ${missing.join(', ')}`);
  if (missing.length > 0) return { result: 'not checked', reason: 'another command writes it' };
  if (files.length > 0) return { result: 'ok' };
  return { result: 'not checked', reason: `a command of ${program}` };
}

/** Whether git ignores a file, as it does what commands write. */
const isIgnored = (file: string) =>
  spawnSync('git', ['check-ignore', '--quiet', file], { cwd: ROOT }).status === 0;

let app: ReturnType<typeof createApp> | undefined;

/** Requests of `localhost:8787` are asked of the server's app with the shipped generators. */
async function judgeRequest(args: readonly string[]): Promise<Verdict> {
  const address = args.find((word) => word.startsWith('localhost:8787/'));
  if (address === undefined) return { result: 'not checked', reason: 'another server' };
  app ??= createApp(diskOptions(SHIPPED_GENERATORS));
  const response = await app.request(`http://${address}`);
  const body = await response.arrayBuffer();
  if (response.status === 200) return { result: 'ok' };
  return failed(`it is answered ${response.status} ${new TextDecoder().decode(body)}`);
}

function judgeTurbo([, , task]: readonly string[]): Verdict | Promise<Verdict> {
  return task !== undefined && task in TASKS
    ? { result: 'ok' }
    : failed(`turbo.json has no task ${task}`);
}

async function judgeNpm(args: readonly string[]): Promise<Verdict> {
  const [verb, ...rest] = args;
  if (verb === 'ci' || verb === 'install' || verb === 'pack') return { result: 'ok' };
  const isRun = verb === 'run';
  const script = isRun ? rest.find((word) => !word.startsWith('-')) : verb;
  if (script === undefined || !(script in SCRIPTS)) return failed(`npm has no script ${script}`);
  if (PLAIN.has(script) || !PROGRAM.test(SCRIPTS[script]!)) return { result: 'ok' };
  const given = rest.includes('--') ? rest.slice(rest.indexOf('--') + 1) : [];
  // What follows a second `--` is for another program.
  const end = given.includes('--') ? given.indexOf('--') : given.length;
  const output = await runScript(SCRIPTS[script]!, [...given.slice(0, end), UNKNOWN]);
  const refusal = output.split('\n').find((text) => /unknown option|error:/i.test(text));
  if (refusal?.includes(UNKNOWN)) return { result: 'ok' };
  return failed(refusal ?? `it says ${JSON.stringify(output.slice(0, 200))}`);
}

/**
 * Runs a script of npm without npm, which takes longer than the script.
 * @param script `exec node FILE …`, perhaps after a command that builds something
 * @returns all that it says. It ends soon, since it has to refuse an option.
 */
function runScript(script: string, args: readonly string[]): Promise<string> {
  const words = PROGRAM.exec(script)![1]!.split(' ');
  const options = { cwd: ROOT, timeout: 60_000 };
  return new Promise((resolveOutput) => {
    execFile(process.execPath, [...words, ...args], options, (_, stdout, stderr) =>
      resolveOutput(stdout + stderr),
    );
  });
}

/** Runs at most `count` jobs at a time. */
function limit(count: number): <T>(job: () => Promise<T>) => Promise<T> {
  const lanes = Array.from({ length: count }, () => Promise.resolve() as Promise<unknown>);
  let next = 0;
  return (job) => {
    const lane = next++ % count;
    const done = lanes[lane]!.then(job);
    lanes[lane] = done.catch(() => undefined);
    return done;
  };
}
