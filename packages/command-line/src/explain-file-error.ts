import { UserError } from '@killme/model';
import { errorCode } from './error-code.ts';

/** What a person can do about a refusal of the file system. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES:
    'its owner is another user: choose another folder, or change its rights by chmod or chown',
  EPERM: 'its owner is another user: choose another folder, or change its rights by chmod or chown',
  EROFS: 'the disk is read-only: choose another folder',
  ENOSPC: 'the disk is full: make room and run it again',
  EDQUOT: 'your quota of this disk is used up: make room and run it again',
  EFBIG:
    'the file is larger than the disk or `ulimit -f` allows: raise the limit, or choose another disk',
  ENOTDIR: 'a part of this path is a file: move it away, or choose another folder',
  EEXIST: 'there is a file of that name: move it away, or choose another folder',
  EISDIR: 'there is a folder of that name: move it away',
  ENOENT: 'it is gone: was it moved or removed meanwhile?',
  EMFILE: 'too many files are open: raise `ulimit -n`',
};

/**
 * A UserError for what the file system refused, naming the path and the remedy; any other error as
 * it is.
 * @param target named where the error does not name a path itself.
 */
export function explainFileError(error: unknown, target?: string): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  const code = errorCode(error);
  const remedy = REMEDIES[code];
  if (remedy === undefined) return error;
  const path = target ?? ('path' in error ? String(error.path) : undefined);
  const isReading = error.syscall === 'scandir' || error.syscall === 'read';
  const verb = isReading ? 'read' : 'written';
  return new UserError(
    path === undefined
      ? `a file cannot be ${verb} (${code}): ${remedy}`
      : `${path} cannot be ${verb} (${code}): ${remedy}`,
  );
}
