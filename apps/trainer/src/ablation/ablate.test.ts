// @module-tag slow
import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BLUE, GREEN, makeFolder, RED } from '@killme/data/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readNewestCheckpoint } from '../run/checkpoint.ts';
import { type RunFolder, runFolder } from '../run/folder.ts';
import { OPTIONS } from '../run/option-table.ts';
import { parseGivenOptions, resolveOptions } from '../run/options.ts';
import { readRunRecord } from '../run/record.ts';
import { train } from '../train/train.ts';
import { checkedRow } from './ablate.ts';
import { readRows } from './csv.ts';
import { ablationRunName, beginFrom } from './train-variant.ts';
import { sharesWarmUp, trainCommand, VARIANT_NAMES, variantOptions } from './variants.ts';

const rows = await readRows(join(import.meta.dirname, 'fixtures/ablation.csv'));

const settled = (name: (typeof VARIANT_NAMES)[number]) =>
  resolveOptions({ ...variantOptions(name, { seed: 7, backend: 'wasm' }), name: 'run' });

describe('the variants of the ablation', () => {
  it.each(VARIANT_NAMES.filter((name) => name !== 'lite' && name !== 'article'))(
    '%s is lite but for one thing',
    (name) => {
      const [{ methods, ...options }, { methods: changed, ...others }] = [
        settled('lite'),
        settled(name),
      ];
      const differences = [
        ...Object.entries({ ...others, ...changed }).filter(
          ([key, value]) =>
            JSON.stringify(value) !==
            JSON.stringify({ ...options, ...methods }[key as keyof typeof options]),
        ),
      ];
      expect(differences).toHaveLength(1);
    },
  );

  it('are repeated by the command that stands in their row', () => {
    for (const name of VARIANT_NAMES) {
      const given = variantOptions(name, { seed: 7, backend: 'wasm' });
      const words = trainCommand(given).split(' --').slice(2);
      const flags = words.map((flag): [string, string] => {
        const [key, value] = flag.split(' ') as [string, string];
        return [key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()), value];
      });
      const typed = parseGivenOptions(Object.fromEntries(flags), 'flag');
      expect(resolveOptions({ ...typed, name: 'run' })).toEqual(settled(name));
    }
  });
});

it('the command of a row is one that a shell takes, whatever the data are called', () => {
  const data = "Kim's icons (2)";
  const printed = trainCommand(variantOptions('lite', { seed: 7, data, backend: 'wasm' }));
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${printed}`], { encoding: 'utf8' });
  expect(words.split('\n').slice(5, 9)).toEqual(['7', '--data', data, '--backend']);
});

describe('the warm-up', () => {
  it('is shared by the variants that differ in what D does', () => {
    expect(VARIANT_NAMES.filter(sharesWarmUp)).toEqual([
      'lite',
      'no-penalty',
      'penalty-10',
      'no-minibatch-deviation',
      'no-augment',
      'augment-color',
      'logistic',
      'hinge',
    ]);
  });

  it('once made for all leaves a variant where it had come by itself, bit for bit', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const data = await makeFolder({ 'red.png': RED, 'green.png': GREEN, 'blue.png': BLUE });
    const { signal } = new AbortController();
    const [shared, run, alone] = ['warm-up', 'from-warm-up', 'alone'].map((name) =>
      runFolder(`ablate-test-${name}-${process.pid}`),
    ) as [RunFolder, RunFolder, RunFolder];
    onTestFinished(async () => {
      for (const { root } of [shared, run, alone]) await rm(root, { recursive: true, force: true });
    });
    const small = { data, batch: 2, warmUp: 1, mappingSteps: 1 };
    // Its D has another layer than lite's.
    const given = {
      ...variantOptions('no-minibatch-deviation', { seed: 7, backend: 'wasm' }),
      ...small,
    };
    const lite = { ...variantOptions('lite', { seed: 7, backend: 'wasm' }), ...small };
    await train({ ...lite, name: shared.name, iterations: 1 }, { begin: 'start', signal });
    await beginFrom(shared, run, given);
    await train({ ...given, name: run.name, iterations: 3 }, { begin: 'resume', signal });
    await train({ ...given, name: alone.name, iterations: 3 }, { begin: 'start', signal });
    const [fromShared, byItself] = await Promise.all(
      [run, alone].map(({ checkpoints }) => readNewestCheckpoint(checkpoints, console.warn)),
    );
    expect(fromShared).toEqual(byItself);
    expect(fromShared!.discriminatorSteps).toBe(2);
    const records = await Promise.all([run, alone].map(readRunRecord));
    expect(records[0]!.options).toEqual({ ...records[1]!.options, name: run.name });
  });
});

describe('a row that is there', () => {
  const rowOf = (command: string) => ({ ...rows[0]!, command });
  const asNow = { variant: 'hinge', warmUp: null, path: 'a.csv' } as const;

  it('is not made again, whatever engine and folder it was made with', () => {
    const given = variantOptions('hinge', { seed: 7, data: 'elsewhere', backend: 'webgpu' });
    const row = rowOf(trainCommand(given));
    expect(checkedRow(row, asNow)).toBe(row);
    expect(checkedRow(undefined, asNow)).toBeUndefined();
  });

  it('is refused when the variant was something else then', () => {
    const given = { ...variantOptions('hinge', { seed: 7, backend: 'wasm' }), gradientPenalty: 2 };
    expect(() => checkedRow(rowOf(trainCommand(given)), asNow)).toThrow(
      /^a\.csv has a row of hinge that was trained otherwise than it would be now: remove the row/,
    );
  });
});

it('variants that warm up do so for as long as the sweep asks', () => {
  const warmUps = (['lite', 'no-penalty', 'no-warm-up', 'article'] as const).map(
    (name) => variantOptions(name, { seed: 7, warmUp: 500, backend: 'wasm' }).warmUp,
  );
  expect(warmUps).toEqual([500, 500, 0, undefined]);
});

describe('the runs of the ablation', () => {
  it('have names that a run may have, whatever the data are called', () => {
    const longest = { seed: 2 ** 32 - 1, budget: '10000000 CPU seconds', warmUp: 999999 };
    const names = VARIANT_NAMES.map((variant) =>
      ablationRunName({ variant, data: 'Мои картинки (2) of "kill me baby"', ...longest }),
    );
    for (const name of names) expect(OPTIONS.name.schema.parse(name)).toBe(name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('differ by data, budget, warm-up and seed', () => {
    const key = { variant: 'lite', data: 'icons', seed: 1, budget: '300 CPU seconds', warmUp: 500 };
    expect(ablationRunName(key)).toMatch(/^ablation-icons-[0-9a-f]{4}-lite-300s-1$/);
    const others = [
      { data: 'faces' },
      { budget: '300 iterations' },
      { seed: 2 },
      { warmUp: 400 },
      { variant: 'article' },
    ];
    const names = others.map((other) => ablationRunName({ ...key, ...other }));
    expect(new Set([...names, ablationRunName(key)]).size).toBe(6);
  });
});
