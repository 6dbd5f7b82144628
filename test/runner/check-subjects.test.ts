import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const LONGEST = `fix(edge): ${'é'.repeat(61)}`;

/** A new repository with the project's hook. */
function repository() {
  const folder = mkdtempSync(join(tmpdir(), 'killme-subjects-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['node_modules', '.ci', '.githooks']) {
    symlinkSync(join(ROOT, name), join(folder, name));
  }
  const git = (...args: string[]) =>
    spawnSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
    });
  git('init', '--quiet');
  git('config', 'core.hooksPath', '.githooks');
  return {
    commit: (...messages: string[]) =>
      git('commit', '--quiet', '--allow-empty', ...messages.flatMap((part) => ['-m', part])),
  };
}

describe('the hook of commits', () => {
  it('takes a subject of 72 characters, whatever the body', () => {
    const { commit } = repository();
    expect(commit(LONGEST, 'b'.repeat(200))).toMatchObject({ status: 0, stderr: '' });
    expect(commit(`fixup! ${LONGEST}`).status).toBe(0);
  });

  it('refuses one of 73, in one line', () => {
    expect(repository().commit(`${LONGEST}s`)).toMatchObject({
      status: 1,
      stderr: `The subject has 73 characters, and may have 72: ${LONGEST}s\n`,
    });
  });
});

it('subjects of a pull request are checked from a list', () => {
  const check = (input: string) =>
    spawnSync(process.execPath, ['.ci/check-subjects.ts'], { cwd: ROOT, input, encoding: 'utf8' });
  expect(check(`fix: a\n${LONGEST}\n`)).toMatchObject({ status: 0, stderr: '' });
  const { status, stderr } = check(`${LONGEST}1\nfix: a\n${LONGEST}23\n`);
  expect([status, stderr.match(/ has \d+ /g)]).toEqual([1, [' has 73 ', ' has 74 ']]);
});
