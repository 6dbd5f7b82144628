/**
 * Locks on a disk that several machines may share.
 *
 * A lock is a row of files `<path>-1`, `<path>-2` …, of which the one with the highest number counts. A
 * file is made by `link` of one that is whole already, so exactly one process makes each number, on NFS
 * too, and nobody reads half of it. Who gives a lock back marks its file; who finds it marked, or its
 * holder dead, makes the next number. Numbers only grow, so a holder that was taken for dead and comes
 * back sees a higher one than its own, and stops.
 *
 * A holder of this machine is dead when its process is. That of another machine is dead when its
 * heartbeat has not changed for {@link DEAD_AFTER_MS} by the clock of the process that waits: clocks of
 * different machines are never compared.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { constants, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { explainFileError, writeFileWhole } from '@killme/command-line';
import { UserError } from '@killme/model';
import { z } from 'zod';
import type { RunFolder } from './folder.ts';

const HEARTBEAT_MS = 10_000;

/** Several heartbeats, and more than an NFS client keeps file attributes (60 s at most). */
const DEAD_AFTER_MS = 120_000;

const holderSchema = z.strictObject({
  /** Names this taking of the lock. */
  id: z.string(),
  host: z.string(),
  pid: z.number().int().positive(),
  /** The machine and its process numbers: equal ones mean that `pid` can be looked up here. */
  space: z.string(),
  /** What tells the process from a later one with its number; empty where the system does not say. */
  processStart: z.string(),
  /** When the lock was taken, by the host's clock, for people. */
  since: z.string(),
  /** Grows while the holder lives. */
  heartbeat: z.number().int().nonnegative(),
  released: z.boolean(),
});

type Holder = z.infer<typeof holderSchema>;

export interface Lock {
  /** Aborted when another process has taken the lock, because this one seemed dead. */
  lost: AbortSignal;
  /** @throws UserError when another process has taken the lock. */
  check(): Promise<void>;
  release(): Promise<void>;
}

export interface LockOptions {
  heartbeatMs?: number;
  deadAfterMs?: number;
  log?: (line: string) => void;
}

/**
 * Takes a lock. Where its holder is of another machine it waits until it is known whether that lives.
 * @param path of the lock; its files are beside it
 * @param what is locked, for messages: `the run "a"`
 * @throws UserError when a process that lives has it, or the disk cannot be written.
 */
export async function acquireLock(
  path: string,
  what: string,
  { heartbeatMs = HEARTBEAT_MS, deadAfterMs = DEAD_AFTER_MS, log = console.log }: LockOptions = {},
): Promise<Lock> {
  await mkdir(dirname(path), { recursive: true });
  for (;;) {
    const top = await highest(path);
    if (top > 0) await waitUntilFree(numbered(path, top), what, { deadAfterMs, log });
    const holder = describeThisProcess();
    if (!(await takeNumber(path, top + 1, holder))) continue; // another was faster
    for (let old = top; old > 0 && old > top - KEPT_NUMBERS; old--) {
      await rm(numbered(path, old), { force: true });
    }
    return hold(path, top + 1, holder, { what, heartbeatMs });
  }
}

/**
 * Takes a run for this process, so that no other trains it: two at once would spoil each other's files.
 * @throws UserError when a process that lives has it.
 */
export function lockRun({ name, lock }: RunFolder): Promise<Lock> {
  return acquireLock(lock, `the run "${name}"`);
}

/** Older files than that have been removed by those who took the lock in between. */
const KEPT_NUMBERS = 8;

const numbered = (path: string, number: number) => `${path}-${number}`;

/** The highest number of a lock; 0 where it was never taken. */
async function highest(path: string): Promise<number> {
  const prefix = `${basename(path)}-`;
  const names = await readdir(dirname(path)).catch(() => []);
  const numbers = names
    .filter((name) => name.startsWith(prefix) && /^\d{1,15}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
  return Math.max(0, ...numbers);
}

/** @returns whether this process has made the file of that number, and none has a higher one. */
async function takeNumber(path: string, number: number, holder: Holder): Promise<boolean> {
  const target = numbered(path, number);
  const draft = `${path}.${holder.id}.tmp`;
  try {
    await writeFile(draft, JSON.stringify(holder), { flush: true });
    await linkOrCopy(draft, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      // NFS may have made the link and lost its answer.
      if ((await readHolder(target))?.id !== holder.id) throw error;
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw explainFileError(error, target);
  } finally {
    await rm(draft, { force: true });
  }
  if ((await highest(path)) === number) return true;
  await rm(target, { force: true }); // an old number, long given up by others
  return false;
}

/** Some file systems (FAT, buckets mounted by FUSE) have no links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(error.code ?? '')) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  });
}

/** undefined where the file has gone, or is being written on a file system without links. */
async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

async function waitUntilFree(
  file: string,
  what: string,
  { deadAfterMs, log }: { deadAfterMs: number; log: (line: string) => void },
): Promise<void> {
  if ((await stat(file).catch(() => undefined))?.isDirectory()) {
    throw new UserError(`${file} is a folder, and no lock: remove it`);
  }
  const first = await readHolder(file);
  const began = performance.now();
  let announced = false;
  for (;;) {
    const holder = await readHolder(file);
    if (holder?.released || !existsSync(file)) return;
    if (holder && isOfThisMachine(holder)) {
      if (!isAlive(holder)) return;
      throw heldBy(holder, what, file);
    }
    if (holder && first && holder.heartbeat !== first.heartbeat) throw heldBy(holder, what, file);
    if (performance.now() - began >= deadAfterMs) return;
    if (!announced) {
      log(
        `${what} was being used on ${holder?.host ?? 'another machine'}: waiting for a heartbeat`,
      );
      announced = true;
    }
    await wait(Math.min(1000, deadAfterMs / 4));
  }
}

function heldBy({ host, pid, since }: Holder, what: string, file: string): UserError {
  return new UserError(
    `${what} is being used by process ${pid} on ${host} since ${since}: wait for it or stop it ` +
      `(if that is another program, remove ${file})`,
  );
}

function hold(
  path: string,
  number: number,
  holder: Holder,
  { what, heartbeatMs }: { what: string; heartbeatMs: number },
): Lock {
  const file = numbered(path, number);
  const lost = new AbortController();
  const loss = () =>
    new UserError(
      existsSync(dirname(path))
        ? `${what} was taken over by another machine: this process stops`
        : `${dirname(path)} is gone: it was moved or removed while ${what} was being used`,
    );
  const check = async () => {
    if (!lost.signal.aborted && (await highest(path)) === number) return;
    if (!lost.signal.aborted) lost.abort(loss());
    throw lost.signal.reason;
  };
  // A thread of its own: a step of training may keep this one for longer than a heartbeat.
  const worker = new Worker(new URL('heartbeat.ts', import.meta.url), {
    workerData: { file, next: numbered(path, number + 1), holder, heartbeatMs },
  });
  worker.unref();
  worker.on('message', () => lost.abort(loss()));
  worker.on('error', () => {}); // without heartbeats others wait less, and `check` finds out
  return {
    lost: lost.signal,
    check,
    async release() {
      await worker.terminate();
      if (lost.signal.aborted || (await highest(path)) !== number) return;
      await writeFileWhole(file, JSON.stringify({ ...holder, released: true }));
    },
  };
}

function describeThisProcess(): Holder {
  return {
    id: randomUUID(),
    host: hostname(),
    pid: process.pid,
    space: SPACE,
    processStart: processStart(process.pid) ?? '',
    since: new Date().toISOString(),
    heartbeat: 0,
    released: false,
  };
}

const isOfThisMachine = ({ space }: Holder) => space === SPACE;

function isAlive({ pid, processStart: began }: Holder): boolean {
  const now = processStart(pid);
  if (now !== undefined) return now === began;
  try {
    process.kill(pid, 0); // sends nothing
    return !existsProc;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
}

function readOr<T>(read: () => string, otherwise: T): string | T {
  try {
    return read().trim();
  } catch {
    return otherwise;
  }
}

const existsProc = readOr(() => readFileSync('/proc/self/stat', 'utf8'), undefined) !== undefined;

/** Containers of one machine have one boot, but process numbers of their own. */
const SPACE = [
  hostname(),
  readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), ''),
  readOr(() => readlinkSync('/proc/self/ns/pid'), ''),
].join(' ');

/**
 * Clock ticks from boot to the start of a process: field 22 of proc(5), counted after the name in
 * brackets. undefined where there is no such process, or it is dead and only not yet waited for.
 */
function processStart(pid: number): string | undefined {
  const stat = readOr(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), undefined);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}
