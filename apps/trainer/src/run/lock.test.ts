import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from './lock.ts';

let path: string;

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'killme-lock-')), '.lock');
});

const slow = { timeout: 60_000 };

/** Fast heartbeats, and no lines. */
const fast = { heartbeatMs: 10, deadAfterMs: 200, log: () => {} };

const read = (number: number) =>
  JSON.parse(readFileSync(`${path}-${number}`, 'utf8')) as { heartbeat: number };

const write = (number: number, changed: object) =>
  writeFileSync(
    `${path}-${number}`,
    JSON.stringify({
      ...{ id: 'x', host: 'n2', pid: 7, space: 'n2 boot pid', processStart: '1' },
      ...{ since: '2026-01-01T00:00:00.000Z', heartbeat: 3, released: false },
      ...changed,
    }),
  );

describe('a lock', () => {
  it('says who has it: host, process, its start, and a heartbeat that grows', async () => {
    const lock = await acquireLock(path, 'the run "a"', fast);
    expect(read(1)).toMatchObject({ host: hostname(), pid: process.pid, released: false });
    expect(read(1)).toHaveProperty('processStart', expect.stringMatching(/^\d*$/));
    const { heartbeat } = read(1);
    await expect.poll(() => read(1).heartbeat, slow).toBeGreaterThan(heartbeat);
    await lock.release();
  });

  it('is refused while its process lives, and free again when it is given back', async () => {
    const lock = await acquireLock(path, 'the run "a"', fast);
    await expect(acquireLock(path, 'the run "a"', fast)).rejects.toThrow(
      `the run "a" is being used by process ${process.pid} on ${hostname()} since`,
    );
    await lock.release();
    await (await acquireLock(path, 'the run "a"', fast)).release();
    expect(readdirSync(join(path, '..'))).toEqual(['.lock-2']);
  });

  it('is no folder, and no number that is not exact', async () => {
    mkdirSync(`${path}-3`);
    await expect(acquireLock(path, 'the run "a"')).rejects.toThrow(
      `${path}-3 is a folder, and no lock: remove it`,
    );
    rmSync(`${path}-3`, { recursive: true });
    write(2 ** 53, {});
    await (await acquireLock(path, 'the run "a"', fast)).release();
    expect(read(1)).toMatchObject({ released: true });
  });

  it('of a process of this machine that was killed is free at once', async () => {
    const first = await acquireLock(path, 'the run "a"', fast);
    const mine = read(1);
    await first.release();
    // The number is that of a process which lives, but began at another time.
    write(1, { ...mine, processStart: '0' });
    const lock = await acquireLock(path, 'the run "a"', { ...fast, deadAfterMs: 1e9 });
    await lock.check();
    await lock.release();
  });

  it('of another machine is refused while its heart beats, whatever its clock says', async () => {
    write(1, { since: '2031-01-01T00:00:00.000Z' });
    const beat = () => write(1, { heartbeat: 4 });
    const waiting = acquireLock(path, 'the run "a"', { deadAfterMs: 60_000, log: beat });
    await expect(waiting).rejects.toThrow('the run "a" is being used by process 7 on n2');
  });

  it('of another machine is taken when its heart has stopped', async () => {
    write(1, {});
    const lock = await acquireLock(path, 'the run "a"', fast);
    expect(read(2)).toMatchObject({ host: hostname() });
    await lock.release();
  });

  it('that was taken stops who comes back, and stays with who has it', async () => {
    const lock = await acquireLock(path, 'the run "a"', fast);
    write(2, {});
    await expect(lock.check()).rejects.toThrow('the run "a" was taken over by another machine');
    expect(lock.lost.aborted).toBe(true);
    await lock.release();
    expect(read(2)).toMatchObject({ host: 'n2', released: false });
  });

  it('tells by itself that it was taken', async () => {
    const lock = await acquireLock(path, 'the run "a"', fast);
    write(2, {});
    await expect.poll(() => lock.lost.aborted, slow).toBe(true);
    await lock.release();
  });
});

it('one of many processes that start at once gets a lock, whether it is new or of a dead one', async () => {
  const module = JSON.stringify(new URL('lock.ts', import.meta.url).href);
  // They wait for a file, so that they ask in one millisecond; the winner keeps the lock till all have asked.
  const start = join(path, '../start');
  const script = `
    const { acquireLock } = await import(${module});
    const { existsSync } = await import('node:fs');
    process.stdout.write('ready');
    while (!existsSync(${JSON.stringify(start)}));
    const lock = await acquireLock(${JSON.stringify(path)}, 'the run', { log() {} }).catch(() => {});
    process.stdout.write(lock ? ' got it' : ' refused');
    process.stdin.once('end', () => process.exit()).resume();`;
  const begin = () => {
    const running = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    return { running, child: running.child };
  };
  const race = async () => {
    const racers = Array.from({ length: 4 }, begin);
    const printed = racers.map(({ child }) => {
      let text = '';
      child.stdout!.on('data', (part: string) => {
        text += part;
      });
      return () => text;
    });
    await expect.poll(() => printed.every((text) => text().startsWith('ready')), slow).toBe(true);
    writeFileSync(start, '');
    const all = () => printed.map((text) => text().slice('ready '.length)).sort();
    await expect.poll(() => all().filter(Boolean), slow).toHaveLength(4);
    expect(all()).toEqual(['got it', 'refused', 'refused', 'refused']);
    for (const { child } of racers) child.stdin!.end();
    await Promise.all(racers.map(({ running }) => running));
  };
  await race();
  expect(existsSync(`${path}-1`)).toBe(true);
  rmSync(start);
  await race(); // the holder's process has ended without giving it back
});
