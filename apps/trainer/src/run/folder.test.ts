import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createRunFolder,
  lockRun,
  type RunFolder,
  removeLeftovers,
  runFolder,
  writeFolderWhole,
} from './folder.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

let run: RunFolder;

beforeEach(async () => {
  run = runFolder('one', mkdtempSync(join(tmpdir(), 'killme-')));
  await createRunFolder(run);
});

describe('writeFolderWhole', () => {
  it('replaces a folder, and leaves nothing of the old one or of a process that was killed', async () => {
    const killed = join(run.root, `.generator.${process.pid}.tmp`);
    await mkdir(killed);
    await writeFile(join(killed, 'stray'), '');
    await mkdir(`${killed}.old`);
    await writeFile(join(`${killed}.old`, 'stray'), '');
    await writeFolderWhole(run.generator, new Map([['a', bytes('1')]]));
    await writeFolderWhole(run.generator, new Map([['b', bytes('2')]]));
    expect(readdirSync(run.generator)).toEqual(['b']);
    expect(readdirSync(run.root).sort()).toEqual(['checkpoints', 'generator', 'samples']);
  });
});

describe('removeLeftovers', () => {
  it('puts back what a killed process had put aside and not replaced, and removes the rest', async () => {
    await mkdir(join(run.root, '.generator.99.tmp.old'));
    await writeFile(join(run.root, '.generator.99.tmp.old', 'generator.json'), 'the only one');
    await mkdir(join(run.root, '.generator.99.tmp'));
    await writeFile(join(run.root, '.report.html.99.tmp'), '');
    await removeLeftovers(run);
    expect(readFileSync(join(run.generator, 'generator.json'), 'utf8')).toBe('the only one');
    expect(readdirSync(run.root).sort()).toEqual(['checkpoints', 'generator', 'samples']);
  });
});

describe('lockRun', () => {
  it('lets one process train a run', async () => {
    await writeFile(run.lock, String(process.ppid));
    await expect(lockRun(run)).rejects.toThrow(
      `the run "one" is being trained by process ${process.ppid}: wait for it or stop it`,
    );
  });

  it('is none of a process that was killed, and is given back', async () => {
    await writeFile(run.lock, '999999999');
    const unlock = await lockRun(run);
    expect(readFileSync(run.lock, 'utf8')).toBe(String(process.pid));
    await unlock();
    expect(existsSync(run.lock)).toBe(false);
  });
});
