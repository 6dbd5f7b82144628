import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runFolder } from './folder.ts';
import { resolveOptions } from './options.ts';
import { type RunRecord, readRunRecord } from './record.ts';

const RECORD: RunRecord = {
  options: resolveOptions({ name: 'icons' }),
  dataset: {
    name: 'icons',
    count: 5,
    classes: ['a', 'b'],
    classCounts: [2, 3],
    fingerprint: '0'.repeat(64),
  },
  engines: ['wasm'],
};

const LITE = resolveOptions({ preset: 'lite', name: 'icons' });

async function read(text: string): Promise<unknown> {
  const runs = await mkdtemp(join(tmpdir(), 'killme-record-'));
  onTestFinished(() => rm(runs, { recursive: true }));
  const folder = { ...runFolder('icons', runs), options: join(runs, 'options.json') };
  await writeFile(folder.options, text);
  return readRunRecord(folder).catch((error: Error) => error.message.replace(runs, ''));
}

it('comes back as it was written', async () => {
  expect(await read(JSON.stringify(RECORD))).toEqual(RECORD);
});

it('is called like its folder, which a person may have renamed', async () => {
  const renamed = { ...RECORD, options: { ...RECORD.options, name: 'before' } };
  expect(await read(JSON.stringify(renamed))).toEqual(RECORD);
});

it.each([
  [{ ...RECORD, options: { ...RECORD.options, batch: 3 } }, '(options.batch: '],
  [
    { ...RECORD, options: { ...LITE, methods: { ...LITE.methods, another: false } } },
    '(options.methods: Unrecognized key: "another"): mend it by hand',
  ],
  [{ ...RECORD, dataset: { ...RECORD.dataset, count: -1 } }, '(dataset.count: '],
  [{ ...RECORD, dataset: { ...RECORD.dataset, count: 6 } }, '(dataset: its classes do not add up'],
])('says in one line where it is damaged: %#', async (record, where) => {
  const message = await read(JSON.stringify(record));
  expect(message).toContain(`/options.json is damaged ${where}`);
  expect(message).not.toContain('\n');
});

it('says that it is no JSON', async () => {
  expect(await read('[{')).toMatch(/^\/options\.json is damaged \(.+\): mend it by hand/);
});
