import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startLogFile } from './log-file.ts';

async function logOf(text: string, start: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'killme-log-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'log.txt');
  if (text !== '') await writeFile(path, text);
  await startLogFile(path, start);
  return readFile(path, 'utf8');
}

const LINE = '[D loss: 0.5, acc.: 50.00%] [G loss: 1.0]';

describe('startLogFile', () => {
  it('keeps the iterations before the one that a run goes on with', async () => {
    const log = `0 ${LINE}\n1 ${LINE}\nsaved at 2\n2 ${LINE}\n3 ${LINE}\n`;
    expect(await logOf(log, 2)).toBe(`0 ${LINE}\n1 ${LINE}\nsaved at 2\n`);
  });

  it('keeps the measurements before that iteration, and not that of it, which comes again', async () => {
    const log = `0 ${LINE}\n1 quality: rKID 1.0\n1 ${LINE}\n2 quality: rKID 0.9\n2 ${LINE}\n`;
    expect(await logOf(log, 2)).toBe(`0 ${LINE}\n1 quality: rKID 1.0\n1 ${LINE}\n`);
  });

  it('takes away half a line, which the next would join', async () => {
    expect(await logOf(`0 ${LINE}\n1 [D lo`, 5)).toBe(`0 ${LINE}\n`);
  });

  it('begins an empty one', async () => {
    expect(await logOf('', 0)).toBe('');
  });
});
