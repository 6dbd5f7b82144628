import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import process from 'node:process';
import { describe, expect, it } from 'vitest';

/** Runs a command that does this, and prints into `stdout`. */
function runMain(body: string, stdout: number | 'pipe' = 'pipe') {
  const module = new URL('./run-command.ts', import.meta.url);
  const code = `import { runCommand } from '${module}'; await runCommand(async () => { ${body} });`;
  const args = ['--input-type=module', '-e', code];
  return spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', stdout, 'pipe'],
  });
}

describe('runCommand', () => {
  it('says in one line what a person can mend', () => {
    const read = `(await import('node:fs')).readdirSync('/no\\u0007where')`;
    expect(runMain(read)).toMatchObject({
      status: 1,
      stdout: '',
      stderr:
        'error: /no\\x07where cannot be read (ENOENT): it is gone: was it moved or removed meanwhile?\n',
    });
  });

  it('lets a mistake of its own be seen', () => {
    const { status, stderr } = runMain('null.x');
    expect(status).toBe(1);
    expect(stderr).toContain('TypeError');
  });

  it.each(['console.log(1); console.log(2)', 'process.stdout.write("1")'])(
    'says that a full disk has lost what was printed: %s',
    (print) => {
      const { status, stderr } = runMain(print, openSync('/dev/full', 'w'));
      expect(stderr).toBe(
        'error: the standard output cannot be written (ENOSPC): the disk is full: make room and run it again\n',
      );
      expect(status).toBe(1);
    },
  );
});
