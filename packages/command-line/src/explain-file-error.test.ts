import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { UserError } from '@killme/model';
import { describe, expect, it } from 'vitest';
import { explainFileError } from './explain-file-error.ts';

const refusal = (code: string) =>
  Object.assign(new Error(`${code}: refused`), { code, syscall: 'open', path: '/runs/a' });

describe('explainFileError', () => {
  it.each([
    [
      'EACCES',
      '/runs/a cannot be written (EACCES): its owner is another user: choose another folder',
    ],
    ['EROFS', '/runs/a cannot be written (EROFS): the disk is read-only: choose another folder'],
    ['ENOSPC', '/runs/a cannot be written (ENOSPC): the disk is full: make room and run it again'],
    ['EDQUOT', '/runs/a cannot be written (EDQUOT): your quota of this disk is used up: make room'],
    ['EFBIG', '/runs/a cannot be written (EFBIG): the file is larger than the disk or `ulimit -f`'],
  ])('says what cannot be written, and how to mend it: %s', (code, line) => {
    const explained = explainFileError(refusal(code));
    expect(explained).toBeInstanceOf(UserError);
    expect((explained as UserError).message).toContain(line);
  });

  it('explains what the system itself refuses', async () => {
    const error: unknown = await writeFile('/dev/null/a', '').catch((reason: unknown) => reason);
    expect((explainFileError(error) as Error).message).toBe(
      '/dev/null/a cannot be written (ENOTDIR): a part of this path is a file: move it away, or choose another folder',
    );
    const full: unknown = await open('/dev/full', 'w')
      .then((file) => file.write('a').finally(() => file.close()))
      .catch((reason: unknown) => reason);
    expect((explainFileError(full, 'log.txt') as Error).message).toMatch(
      /^log\.txt cannot be written \(ENOSPC\): the disk is full/,
    );
    const gone: unknown = await readdir('/nowhere/at/all').catch((reason: unknown) => reason);
    expect((explainFileError(gone) as Error).message).toBe(
      '/nowhere/at/all cannot be read (ENOENT): it is gone: was it moved or removed meanwhile?',
    );
    const file: unknown = await mkdir('/dev/null').catch((reason: unknown) => reason);
    expect((explainFileError(file) as Error).message).toContain('there is a file of that name');
  });

  it('leaves other errors to those who know them', () => {
    const bug = new TypeError('x is undefined');
    expect(explainFileError(bug)).toBe(bug);
  });
});
