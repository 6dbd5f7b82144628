// @module-tag slow
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CLI = new URL('../cli.ts', import.meta.url).pathname;

// Needs a disk small enough to fill, which only root can make.
const canMount = process.platform === 'linux' && process.getuid?.() === 0;

describe.runIf(canMount)('a task of a sweep whose disk is full', () => {
  const folder = mkdtempSync(join(tmpdir(), 'killme-full-disk-'));
  const disk = join(folder, 'disk');
  const [icons, results, table] = ['icons', 'results', 'table.csv'].map((name) =>
    join(folder, name),
  );

  beforeAll(async () => {
    mkdirSync(icons!);
    for (let i = 0; i < 32; i++) {
      const background = { r: i * 7, g: i * 5, b: 9 };
      const image = sharp({ create: { width: 128, height: 128, channels: 3, background } });
      await image.png().toFile(join(icons!, `${i}.png`));
    }
    mkdirSync(disk);
    // A checkpoint of lite takes some 40 MiB.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk]);
  });

  afterAll(() => {
    execFileSync('umount', [disk]);
    rmSync(folder, { recursive: true });
  });

  const ablate = (...args: string[]) => {
    const env = { ...process.env, KILLME_RUNS: disk };
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'ablate', ...args], {
      env,
      encoding: 'utf8',
    });
    return { status, errors: stderr.split('\n').filter((line) => /fail|missing|error/.test(line)) };
  };
  const runTask = () =>
    ablate(
      ...['--data', icons!, '--variants', 'lite', '--seeds', '1', '--iterations', '2'],
      ...['--save-every', '1', '--count', '12', '--backend', 'wasm'],
      ...['--results', results!, '--to', table!, '--task', '0'],
    );

  it('fails in one line, leaves no checkpoint, and is listed as missing', () => {
    const { status, errors } = runTask();
    expect(status).toBe(1);
    expect(errors[0]).toMatch(
      /^task 0: lite failed: the disk is nearly full: a checkpoint takes \d\d MiB, .* has \d MiB left$/,
    );
    const [run] = readdirSync(disk);
    expect(readdirSync(join(disk, run!, 'checkpoints'))).toEqual([]);
    expect(ablate('--merge', results!, '--to', table!).errors).toEqual([
      'error: 1 of 1 tasks are missing: run them by --task I, then merge again',
    ]);
  });

  it('succeeds once there is room, and the table is complete', () => {
    execFileSync('mount', ['-o', 'remount,size=200m', disk]);
    expect(runTask()).toEqual({ status: 0, errors: [] });
    expect(ablate('--merge', results!, '--to', table!)).toEqual({ status: 0, errors: [] });
  });
});
