import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSweep } from './sweep.ts';

const folder = await mkdtemp(join(tmpdir(), 'killme-sweep-'));

async function sweepOf(content: unknown): Promise<string> {
  const file = join(folder, `${Math.random()}.json`);
  await writeFile(file, JSON.stringify(content));
  return file;
}

describe('a sweep of runs', () => {
  it('has a task for each: options of all, then its own, then those of the command line', async () => {
    const file = await sweepOf({
      options: { preset: 'lite', seed: 1 },
      runs: [
        { name: 'cats', data: 'cats' },
        { name: 'dogs', data: 'dogs', seed: 2 },
      ],
    });
    expect(await readSweep(file, { backend: 'wasm' })).toEqual([
      {
        number: 0,
        options: { preset: 'lite', seed: 1, name: 'cats', data: 'cats', backend: 'wasm' },
      },
      {
        number: 1,
        options: { preset: 'lite', seed: 2, name: 'dogs', data: 'dogs', backend: 'wasm' },
      },
    ]);
  });

  it.each([
    [{ runs: [] }, 'runs: '],
    [{ runs: [{ data: 'cats' }] }, 'run 0 has no name'],
    [{ runs: [{ name: 'a' }, { name: 'a' }] }, 'two runs are called a'],
    [{ runs: [{ name: 'a', datas: 'cats' }] }, 'unknown option "datas"'],
    [{ runs: [{ name: 'a' }], option: {} }, 'the file: '],
  ])('%j is refused', async (content, message) => {
    await expect(readSweep(await sweepOf(content), {})).rejects.toThrow(message);
  });
});
