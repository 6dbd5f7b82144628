import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFolderWhole } from '@killme/command-line';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRunFolder, type RunFolder, removeLeftovers, runFolder } from './folder.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

let run: RunFolder;

beforeEach(async () => {
  run = runFolder('one', mkdtempSync(join(tmpdir(), 'killme-')));
  await createRunFolder(run);
});

describe('writeFolderWhole', () => {
  it('replaces a folder, and leaves nothing of the old one', async () => {
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
