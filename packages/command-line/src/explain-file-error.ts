import { UserError } from '@killme/model';
import { errorCode } from './error-code.ts';

const OTHER_OWNER = 'its owner is another user';

/** What a person can do about a refusal of the file system. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: `${OTHER_OWNER}: choose another folder, or change its rights by chmod or chown`,
  EPERM: `${OTHER_OWNER}: choose another folder, or change its rights by chmod or chown`,
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
  ENFILE: 'too many files are open on this machine',
  ENAMETOOLONG: 'its name is too long for the disk: choose a shorter one',
  ELOOP: 'its links lead in a circle: mend them',
  EIO: 'the disk fails: look at the log of the system (`dmesg`)',
  ESTALE: 'it is gone from the shared disk: was it moved or removed meanwhile?',
};

/** What they can do where it was to be read. */
const READING_REMEDIES: Readonly<Record<string, string>> = {
  ...REMEDIES,
  EACCES: `${OTHER_OWNER}: change its rights by chmod or chown`,
  EPERM: `${OTHER_OWNER}: change its rights by chmod or chown`,
  ENOTDIR: 'a part of this path is a file',
};

/**
 * A UserError for what the file system refused, naming the path and the remedy; any other error as
 * it is.
 * @param target named where the error does not name a path itself.
 * @param verb what was to be done, where the error does not say.
 */
export function explainFileError(
  error: unknown,
  target?: string,
  verb: 'read' | 'written' = isReading(error) ? 'read' : 'written',
): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  const path = target ?? ('path' in error ? String(error.path) : undefined);
  const code = errorCode(error);
  const remedy = (verb === 'read' ? READING_REMEDIES : REMEDIES)[code];
  if (remedy === undefined && path === undefined) return error;
  const line = `${path ?? 'a file'} cannot be ${verb} (${code})`;
  return new UserError(remedy === undefined ? line : `${line}: ${remedy}`);
}

function isReading(error: unknown): boolean {
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  return syscall === 'scandir' || syscall === 'read';
}
