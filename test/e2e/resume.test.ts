import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createRandom } from '@killme/model';
import { findTensorflow } from '@killme/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFolder, runTrainer, startTrainer, writeIcons } from './trainer.ts';

const data = mkdtempSync(join(tmpdir(), 'killme-'));
const runs: string[] = [];

/** The options of a short run on the slowest engine, with a checkpoint after every iteration. */
function options(name: string): string[] {
  const run = `e2e-${process.pid}-${name}`;
  runs.push(run);
  const fixed =
    '--preset lite --backend wasm --batch 2 --iterations 12 --warm-up 5 --mapping-steps 3 --save-every 1 --seed 3';
  return ['--name', run, '--data', data, ...fixed.split(' ')];
}

const checkpointFile = (args: string[]) =>
  join(runFolder(args[1]!), 'checkpoints', 'checkpoint-0000012.safetensors');

beforeAll(() => writeIcons(data, 8));

afterAll(() => {
  for (const name of runs) rmSync(runFolder(name), { recursive: true, force: true });
  rmSync(data, { recursive: true });
});

describe('a run that is interrupted', () => {
  it('by kill -9 at any moment, five times, ends with the same weights as one that was not', async () => {
    const whole = options('whole');
    expect(await runTrainer('train', ...whole)).toMatchObject({ status: 0 });

    const killed = options('killed');
    const checkpoints = join(runFolder(killed[1]!), 'checkpoints');
    const statuses: (number | null)[] = [];
    // At any moment after the first checkpoint, so also while the next one is being written.
    for (const delay of createRandom('kill at').integers(5, 300)) {
      const resume = statuses.length > 0 ? ['--resume'] : [];
      const { process: child, outcome } = startTrainer('train', ...killed, ...resume);
      while (child.exitCode === null && !hasNewCheckpoint(checkpoints)) await wait(20);
      await wait(delay);
      child.kill('SIGKILL');
      statuses.push((await outcome).status);
    }
    // A process that was killed has no exit status.
    expect(statuses).toEqual([null, null, null, null, null]);
    const { status, output } = await runTrainer('train', ...killed, '--resume');
    expect(output).toContain('done: ');
    expect(status).toBe(0);
    expect(readFileSync(checkpointFile(killed)).equals(readFileSync(checkpointFile(whole)))).toBe(
      true,
    );
  }, 900_000);

  // Needs `npm run setup:tensorflow`, which takes a download that continuous integration does without.
  it.runIf(findTensorflow().available)(
    'on TensorFlow ends with the same weights as one that was not',
    async () => {
      const onTensorflow = (name: string, ...more: string[]) => [
        ...options(name),
        ...'--backend tensorflow --iterations 6 --warm-up 2 --mapping-steps 3'.split(' '),
        ...more,
      ];
      const whole = onTensorflow('tensorflow-whole');
      expect(await runTrainer('train', ...whole)).toMatchObject({ status: 0 });
      const cut = onTensorflow('tensorflow-cut');
      expect(await runTrainer('train', ...cut, '--iterations', '3')).toMatchObject({ status: 0 });
      expect(await runTrainer('train', ...cut, '--resume')).toMatchObject({ status: 0 });
      const last = (args: string[]) =>
        readFileSync(join(runFolder(args[1]!), 'checkpoints', 'checkpoint-0000006.safetensors'));
      expect(last(cut).equals(last(whole))).toBe(true);
    },
    300_000,
  );

  it('by its reader going away (| head) stops with a checkpoint, and without a word', async () => {
    const [, name, ...rest] = options('unread');
    const args = ['--name', name!, ...rest, '--iterations', '1000', '--save-every', '1000'];
    const { process: child, outcome } = startTrainer('train', ...args);
    while (child.exitCode === null && rows(name!) < 2) await wait(20);
    child.stdout!.destroy();
    const { status, output } = await outcome;
    expect(status).toBe(0);
    expect(output).not.toContain('EPIPE');
    expect(readdirSync(join(runFolder(name!), 'checkpoints'))).toHaveLength(1);
  }, 120_000);

  it('by Ctrl-C writes a checkpoint of the last iteration and says how to go on', async () => {
    const args = [
      ...options('stopped').slice(0, -8),
      '--iterations',
      '1000',
      '--save-every',
      '1000',
    ];
    const { process: child, outcome } = startTrainer('train', ...args);
    while (child.exitCode === null && rows(args[1]!) < 2) await wait(20);
    const meanwhile = await runTrainer('train', ...args, '--resume');
    expect(meanwhile.output).toMatch(
      /^error: the run ".*" is being used by process \d+ on .* since .*: wait for it or stop it/m,
    );
    expect(meanwhile.status).toBe(1);
    child.kill('SIGINT');
    const { status, output } = await outcome;
    expect(status).toBe(0);
    const iteration = Number(
      /stopped at iteration (\d+); go on with --resume --name/.exec(output)?.[1],
    );
    expect(iteration).toBe(rows(args[1]!));
    const name = `checkpoint-${String(iteration).padStart(7, '0')}.safetensors`;
    expect(readdirSync(join(runFolder(args[1]!), 'checkpoints'))).toEqual([name]);
    const manifest = readFileSync(join(runFolder(args[1]!), 'generator/generator.json'), 'utf8');
    expect(JSON.parse(manifest).training.iterations).toBe(iteration); // it can be served as it is

    const tables = () =>
      ['metrics.csv', 'quality.csv'].map((table) =>
        readFileSync(join(runFolder(args[1]!), table), 'utf8'),
      );
    const before = tables();
    const resumeTo = (iterations: number) =>
      runTrainer('train', ...args, '--resume', '--iterations', String(iterations));
    const shorter = await resumeTo(1);
    expect(shorter.output).toMatch(
      new RegExp(
        `^error: the run ".*" has ${iteration} iterations already: --iterations 1 is less`,
        'm',
      ),
    );
    const nothing = await resumeTo(iteration);
    expect(nothing.output).toContain(
      `has all its ${iteration} iterations: give more by --iterations`,
    );
    expect(tables()).toEqual(before);
  }, 240_000);
});

const seen = new Set<string>();

/** Whether a checkpoint is there that was not at the last call that said so. */
function hasNewCheckpoint(folder: string): boolean {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const fresh = names.filter((name) => name.startsWith('checkpoint') && !seen.has(name));
  for (const name of fresh) seen.add(name);
  return fresh.length > 0;
}

/** Iterations in metrics.csv; 0 before there is one. */
function rows(run: string): number {
  const path = join(runFolder(run), 'metrics.csv');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length - 1 : 0;
}
