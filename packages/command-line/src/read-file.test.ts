import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNamedJson, readNamedText } from './read-file.ts';

describe('a file that a person names', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'killme-read-'));
    await writeFile(join(folder, 'a.json'), '{"a": あ}');
    await symlink('circle', join(folder, 'circle'));
    return () => rm(folder, { recursive: true });
  });

  it('is read as UTF-8', async () => {
    expect(await readNamedText(join(folder, 'a.json'))).toBe('{"a": あ}');
  });

  it.each([
    ['b.json', /^there is no file --config \S+b\.json$/],
    ['', /^--config \S+ is a folder: name a file in it$/],
    ['a.json/b', /^--config \S+ cannot be read \(ENOTDIR\): a part of this path is a file$/],
    ['circle', /^--config \S+ cannot be read \(ELOOP\): its links lead in a circle: mend them$/],
    ['n'.repeat(300), /^--config \S+ cannot be read \(ENAMETOOLONG\): its name is too long/],
    // Where nothing is mapped, this one answers as a disk that fails.
    ['/proc/self/mem', /^--config \S+ cannot be read \(EIO\): the disk fails: look at the log/],
    ['a.json', /^--config \S+ is no JSON: Unexpected token 'あ', "\{"a": あ\}" is not valid JSON$/],
  ])('is refused in one line, by its name: %s', async (name, line) => {
    const path = name.startsWith('/') ? name : join(folder, name);
    await expect(readNamedJson(path, '--config')).rejects.toThrow(line);
  });
});
