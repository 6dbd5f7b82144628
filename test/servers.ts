/**
 * The real servers, each as its own process on a free loopback port.
 *
 * @module
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  familyOf,
  freePort,
  listProcesses,
  overflowingGeneratorFiles,
  randomGeneratorFiles,
} from '@killme/edge/testing';
import type { LatentSpace } from '@killme/model';

const EDGE = fileURLToPath(new URL('../apps/edge', import.meta.url));
/** Deno itself: what npm links is a launcher, which does not hand signals on. */
const DENO = (
  createRequire(import.meta.url)('deno/install_api.cjs') as { runInstall(): string }
).runInstall();

export interface Server {
  origin: string;
  processId: number;
  /** What it has printed so far. */
  printed(): string;
  /** Ends it as Ctrl-C does, and everything that it has started. @returns its exit status. */
  stop(): Promise<number | null>;
  /**
   * Ends it as `docker stop`, systemd and `kill` do: by SIGTERM to itself alone.
   * @returns its exit status.
   * @throws Error when something that it has started goes on.
   */
  terminate(): Promise<number | null>;
}

/** What a server that did not come up printed. */
export interface Refusal {
  status: number | null;
  output: string;
}

/** As the command line has them: folders, `NAME=DIR` or `DIR`. */
type Generators = string | readonly string[];

const named = (generators: Generators) =>
  [generators].flat().flatMap((generator) => ['--generator', generator]);

const startScript = (
  script: 'start' | 'serve',
  generators: Generators,
  port: number | undefined,
  more: string[],
) =>
  start(
    (at) => [
      process.execPath,
      `${EDGE}/scripts/${script}.ts`,
      ...[...named(generators), '--port', at, ...more],
    ],
    port,
  );

/** `npm start`: workerd, through wrangler. `more` are options that it is given too. */
export const startWorkerd = (generators: Generators, port?: number, more: string[] = []) =>
  startScript('start', generators, port, more);

/** `npm run serve`: Node. `more` are options that it is given too. */
export const startNode = (generators: Generators, port?: number, more: string[] = []) =>
  startScript('serve', generators, port, more);

/** The app under Deno. `more` are options that it is given too. */
export const startDeno = (generators: Generators, port?: number, more: string[] = []) =>
  start(
    (at) => [
      DENO,
      'run',
      ...[
        '--allow-net',
        '--allow-read',
        '--allow-env=INIT_CWD,TURBO_INVOCATION_DIR,npm_lifecycle_event',
      ],
      `${EDGE}/src/runtimes/deno.ts`,
      ...[...named(generators), '--port', at, ...more],
    ],
    port,
  );

/** `npm run prerender`: the folder of a gallery, beside the generator. */
export async function writeGallery(generator: string, count: number): Promise<string> {
  const folder = `${generator}/gallery`;
  await promisify(execFile)(process.execPath, [
    `${EDGE}/scripts/prerender.ts`,
    ...['--generator', generator, '--count', `${count}`, '--out', folder],
  ]);
  return folder;
}

/**
 * The server, or what it printed when it gave up.
 * @param command listens at the port that it is given, or ends by itself.
 * @param isReady gets what it has printed so far.
 */
export async function start(
  command: (port: string) => string[],
  port?: number,
  isReady: (output: string, port: string) => boolean | Promise<boolean> = (output) =>
    output.includes('Ready on'),
): Promise<Server | Refusal> {
  const at = String(port ?? (await freePort()));
  const [program, ...args] = command(at);
  // A group of its own, so that whatever it starts can be ended with it.
  const child = spawn(program!, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  running.add(child);
  const closed = once(child, 'close').finally(() => running.delete(child));
  while (child.exitCode === null && !(await isReady(output, at))) {
    await Promise.race([wait(50), closed]);
  }
  if (child.exitCode !== null) {
    await closed;
    return { status: child.exitCode, output };
  }
  return {
    origin: `http://localhost:${at}`,
    processId: child.pid!,
    printed: () => output,
    stop: () => stop(child),
    terminate: () => terminate(child),
  };
}

/** Groups of processes that were started and have not ended. */
const running = new Set<ChildProcess>();

// A test file that fails before its end must leave no server behind.
process.once('exit', () => {
  for (const { pid } of running) endGroup(pid!, 'SIGKILL');
});

/** Whatever of a group is still there. */
function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** @throws Error with what it printed, when the server did not come up. */
export function expectServer(started: Server | Refusal): Server {
  if ('output' in started) throw new Error(`the server did not start: ${started.output}`);
  return started;
}

/** @throws Error when the server came up though it should not. */
export async function expectRefusal(started: Server | Refusal): Promise<Refusal> {
  if ('output' in started) return started;
  await started.stop();
  throw new Error('the server started');
}

async function stop(child: ChildProcess): Promise<number | null> {
  const isRunning = child.exitCode === null && child.signalCode === null;
  const exited = isRunning ? once(child, 'exit') : Promise.resolve();
  endGroup(child.pid!, 'SIGINT');
  const late = new AbortController();
  const forced = wait(10_000, undefined, late).then(
    () => endGroup(child.pid!, 'SIGKILL'),
    () => undefined,
  );
  await exited;
  late.abort();
  await forced;
  return child.exitCode;
}

async function terminate(child: ChildProcess): Promise<number | null> {
  const family = familyOf(child.pid!);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
  const giveUp = Date.now() + ORPHANS_MS;
  for (;;) {
    // One that has ended and that nobody has waited for has no command line.
    const left = listProcesses().filter(({ pid, command }) =>
      family.some((one) => one.pid === pid && one.command === command),
    );
    if (left.length === 0) return child.exitCode;
    if (Date.now() > giveUp) {
      throw new Error(`it has left behind: ${left.map(({ command }) => command).join(', ')}`);
    }
    await wait(20);
  }
}

/** What a server has started may end a moment after it. */
const ORPHANS_MS = 10_000;

interface WrittenGenerator {
  folder: string;
  remove: () => Promise<void>;
}

async function writeGenerator(files: ReadonlyMap<string, Uint8Array>): Promise<WrittenGenerator> {
  const folder = await mkdtemp(`${tmpdir()}/killme-generator-`);
  for (const [name, bytes] of files) await writeFile(`${folder}/${name}`, bytes);
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

/** Writes a generator that loads and cannot render. */
export const writeOverflowingGenerator = async (): Promise<WrittenGenerator> =>
  writeGenerator(await overflowingGeneratorFiles());

/** Writes a generator with random weights, 128×128 and a quarter as wide as the article's. */
export async function writeRandomGenerator({
  imageSize = 128,
  ...options
}: {
  imageSize?: number;
  /** Of its latents; uniform when omitted. */
  distribution?: LatentSpace['distribution'];
  /** Of a class-conditional generator; none when omitted. */
  classes?: Readonly<Record<string, number>>;
} = {}): Promise<WrittenGenerator> {
  return writeGenerator(await randomGeneratorFiles({ width: 1 / 4, imageSize, ...options }));
}
