/**
 * Servers as processes of their own, for measuring, on free loopback ports.
 *
 * @module
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '@killme/model';
import { bundleBareWorkerd } from '../scripts/bare-workerd.ts';
import { nameFolder } from '../src/runtimes/named-folder.ts';
import { familyOf, freePort } from '../src/testing/index.ts';

const START = fileURLToPath(new URL('../scripts/start.ts', import.meta.url));
const SERVE = fileURLToPath(new URL('../scripts/serve.ts', import.meta.url));
const DENO_ENTRY = fileURLToPath(new URL('../src/runtimes/deno.ts', import.meta.url));

/** A running server. */
export interface Server {
  origin: string;
  /** Where wrangler lets the Chrome DevTools protocol through to the worker's isolate. */
  inspectorAddress: string;
  /** The workerd process that has the worker's isolate (wrangler has another one, a proxy). */
  processId: number;
  stop(): Promise<void>;
}

/**
 * Starts `npm start`, workerd with the assembled worker, and waits until the worker answers /healthz; no generator is loaded yet.
 * @param generators their folders
 * @throws UserError with what the server printed when it does not come up.
 */
export async function startServer(...generators: readonly string[]): Promise<Server> {
  const [port, inspectorPort] = [await freePort(), await freePort()];
  const server = await startProcess(process.execPath, [
    START,
    ...namedGenerators(generators),
    ...['--port', String(port), '--inspector-port', String(inspectorPort)],
  ]);
  return {
    ...server,
    origin: `http://localhost:${port}`,
    inspectorAddress: `ws://127.0.0.1:${inspectorPort}/ws`,
    processId: findWorkerd(server.processId),
  };
}

/** `npm run serve` as a process of its own; `more` are options that it is given too. */
export async function startNodeServer(
  generators: readonly string[],
  more: readonly string[] = [],
): Promise<Omit<Server, 'inspectorAddress'> & { metricsAddress: string }> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const server = await startProcess(process.execPath, [
    SERVE,
    ...[...namedGenerators(generators), '--port', String(port)],
    ...['--metrics', String(metricsPort), ...more],
  ]);
  return {
    ...server,
    origin: `http://localhost:${port}`,
    metricsAddress: `http://localhost:${metricsPort}/metrics`,
  };
}

/** The app under the Deno that npm has installed. */
export async function startDenoServer(
  ...generators: readonly string[]
): Promise<Omit<Server, 'inspectorAddress'>> {
  const port = await freePort();
  const server = await startProcess(findDeno(), [
    ...['run', '--allow-net', '--allow-read'],
    '--allow-env=INIT_CWD,TURBO_INVOCATION_DIR,npm_lifecycle_event',
    ...[DENO_ENTRY, ...namedGenerators(generators), '--port', String(port)],
  ]);
  return { ...server, origin: `http://localhost:${port}` };
}

/** workerd without wrangler's proxies: what the Worker itself does. */
export async function startBareServer(
  ...generators: readonly string[]
): Promise<Omit<Server, 'inspectorAddress'>> {
  const { command, remove } = await bundleBareWorkerd({ generators: generators.map(nameFolder) });
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const answers = () =>
    fetch(`${origin}/healthz`)
      .then(({ ok }) => ok)
      .catch(() => false);
  const [program, ...args] = command(port);
  const server = await startProcess(program, args, answers);
  return { ...server, origin, stop: () => server.stop().finally(remove) };
}

/** The executable of the npm package `deno`; its own launcher passes no signal on. */
function findDeno(): string {
  const api: { runInstall(): string } = createRequire(import.meta.url)('deno/install_api.cjs');
  return api.runInstall();
}

const namedGenerators = (folders: readonly string[]) =>
  folders.flatMap((folder) => ['--generator', folder]);

/** Starts a server and waits until it is ready. @param checkReady gets what it has printed. */
async function startProcess(
  program: string,
  args: readonly string[],
  checkReady: (output: string) => boolean | Promise<boolean> = (output) =>
    output.includes('Ready on'),
): Promise<Pick<Server, 'processId' | 'stop'>> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  // However this process ends, the server must not stay.
  const end = () => child.kill('SIGINT');
  process.once('exit', end);
  const terminate = () => process.exit(1);
  process.once('SIGTERM', terminate);
  let output = '';
  let isReady = false;
  for (const stream of [child.stdout, child.stderr]) {
    // Later there may be an access log.
    stream.on('data', (text) => {
      if (!isReady) output += text;
    });
  }
  const closed = once(child, 'close');
  while (child.exitCode === null && !(await checkReady(output))) {
    await Promise.race([wait(20), closed]);
  }
  isReady = true;
  if (child.exitCode !== null) throw new UserError(`the server did not start: ${output}`);
  return {
    processId: child.pid!,
    async stop() {
      end();
      await closed;
      process.off('exit', end).off('SIGTERM', terminate);
    },
  };
}

/** What the operating system counts for a process, in bytes. */
export interface ProcessMemory {
  resident: number;
  /** The most that has been resident; only Linux says it. */
  peak?: number;
}

/** Reads what the operating system says of a process. */
export function processMemory(processId: number): ProcessMemory {
  if (process.platform === 'linux') {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    const bytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
    return { resident: bytes('VmRSS'), peak: bytes('VmHWM') };
  }
  const text = execFileSync('ps', ['-o', 'rss=', '-p', String(processId)], { encoding: 'utf8' });
  return { resident: Number(text) * 1024 };
}

/** Linux counts in these, whatever the machine. */
const TICK_MS = 10;

/** What all threads of a process have taken, in user mode and in the kernel. */
export function cpuTimeMs(processId: number): number {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
  // The name, in parentheses, may have blanks; utime and stime are the 12th and 13th after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Among the descendants of a process, the workerd that was started with an inspector. */
function findWorkerd(ancestor: number): number {
  const found = familyOf(ancestor).find(({ command }) => command.includes('--inspector-addr'));
  if (!found) throw new Error('there is no workerd with an inspector among the server’s processes');
  return found.pid;
}
